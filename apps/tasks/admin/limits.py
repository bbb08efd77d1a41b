"""The page of limits and pauses. Rows are facts; what is done to them is asked for in dialogs and done by services."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import ChoiceFilter, DialogForm, WorkspaceAdmin, action, after_dialog, display, moment
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.codebases.models import Codebase
from apps.tasks.admin.places import (
    LimitForm,
    PausePlaceForm,
    PlaceForm,
    SwitchForm,
    pausing,
    place_name,
    resuming,
)
from apps.tasks.models import QueueLimit, QueueLimitHistory
from apps.tasks.services import limit_set, queue_pause, queue_resume

LIST = "admin:tasks_queuelimit_changelist"


class WhatFilter(ChoiceFilter):
    title = "what is set"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("paused", "Paused"), ("limited", "Limited")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[QueueLimit]) -> QuerySet[QueueLimit]:
        match self.value():
            case "paused":
                return queryset.filter(paused_at__isnull=False)
            case "limited":
                return queryset.filter(most__isnull=False)
            case _:
                return queryset


@admin.register(QueueLimit)
class LimitAdmin(WorkspaceAdmin):
    list_display = ("place", "status", "held_of_most", "paused", "why", "changed")
    list_filter = (WhatFilter, "kind")
    search_fields = ("key", "reason")
    ordering = ("kind", "key")
    fieldsets = (
        (None, {"fields": ("place", "status", "held_of_most")}),
        ("Pause", {"fields": ("paused", "why")}),
        ("Last change", {"fields": ("changed",)}),
    )
    readonly_fields = ("place", "status", "held_of_most", "paused", "why", "changed")
    actions = ("pause_selected", "resume_selected")
    actions_list = ("set_limit", "pause_place")
    actions_detail = ("pause", "resume", "change_limit", "remove")
    history = QueueLimitHistory
    empty_hint = "Nothing is limited or paused: workers take what they can. Set a limit, or pause a part of the queue."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Limits and pauses", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        names = Codebase.objects.filter(workspace_id=OuterRef("workspace_id"), id=OuterRef("key")).values("name")
        rows: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = rows.annotate(codebase_name=Subquery(names))
        return named

    def get_urls(self) -> list[URLPattern]:
        switch = path("switch/", self.admin_site.admin_view(self.switch_view), name="tasks_queuelimit_switch")
        return [switch, *super().get_urls()]

    def switch_view(self, request: HttpRequest) -> HttpResponse:
        """POST, from the first page: pause or resume a part of a workspace's queue; back there."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = SwitchForm(request.POST)
        if not form.is_valid():
            raise PermissionDenied
        said = form.cleaned_data
        if not reach_of(request).holds(Scope.TASKS_WRITE, said["workspace"].pk):
            raise PermissionDenied
        place = {"workspace_id": said["workspace"].pk, "kind": said["kind"], "key": said["key"], "by": _name(request)}
        if said["verb"] == "pause":
            self.attempt(request, lambda: queue_pause(**place, reason=said["reason"]), "The queue is paused.")
        else:
            self.attempt(request, lambda: queue_resume(**place), "The queue is resumed.")
        return HttpResponseRedirect(reverse("admin:index", query={"workspace": said["workspace"].slug}))

    @display(description="Part of the queue", ordering="key")
    def place(self, limit: Any) -> str:
        return place_name(limit.kind, limit.codebase_name or limit.key)

    @display(description="Status", label={"paused": "warning", "full": "warning", "open": "success"})
    def status(self, limit: QueueLimit) -> str:
        if limit.is_paused:
            return "paused"
        return "full" if limit.most is not None and limit.held >= limit.most else "open"

    @display(description="Held", ordering="held")
    def held_of_most(self, limit: QueueLimit) -> SafeString | str:
        return meter(limit.held, limit.most)

    @display(description="Paused", ordering="paused_at", empty_value="—")
    def paused(self, limit: QueueLimit) -> SafeString | None:
        return moment(limit.paused_at) if limit.paused_at else None

    @display(description="Why", empty_value="—")
    def why(self, limit: QueueLimit) -> str | None:
        return limit.reason or None

    @display(description="Changed", ordering="changed_at")
    def changed(self, limit: QueueLimit) -> SafeString:
        return format_html("{} by {}", moment(limit.changed_at), limit.changed_by)

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.TASKS_WRITE, obj)

    def has_limit_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN, obj)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Pause or resume, whichever changes something."""
        limit = self.get_object(request, unquote(object_id))
        useless = "tasks_queuelimit_pause" if limit and limit.is_paused else "tasks_queuelimit_resume"
        listed: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [entry for entry in listed if entry.action_name != useless]

    @action(
        description="Set a limit",
        permissions=["limit"],
        icon="speed",
        variant="primary",
        dialog={
            "title": "Set a limit",
            "description": "No more tasks than this are held at once. What is held already may end.",
            "form_class": PlaceForm,
            "form_submit_text": "Set",
        },
    )
    def set_limit(self, request: HttpRequest, form: PlaceForm) -> HttpResponse:
        place, most = form.place, form.cleaned_data["most"]
        self.attempt(request, lambda: limit_set(**place, most=most, by=_name(request)), f"At most {most} at once now.")
        return after_dialog(reverse(LIST))

    @action(**pausing("Pause a part of the queue", PausePlaceForm))
    def pause_place(self, request: HttpRequest, form: PausePlaceForm) -> HttpResponse:
        place, reason = form.place, form.cleaned_data["reason"]
        self.attempt(request, lambda: queue_pause(**place, reason=reason, by=_name(request)), "It is paused.")
        return after_dialog(reverse(LIST))

    @action(**pausing("Pause this part of the queue?"))
    def pause(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        return self._change(request, object_id, lambda place: queue_pause(**place, reason=reason), "It is paused.")

    @action(**resuming("Resume this part of the queue?"))
    def resume(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._change(request, object_id, lambda place: queue_resume(**place), "It is resumed.")

    @action(
        description="Change the limit",
        permissions=["limit"],
        icon="speed",
        dialog={
            "title": "Change the limit",
            "description": "What is held beyond it may end; nothing more is taken until it fits.",
            "form_class": LimitForm,
            "form_submit_text": "Change",
        },
    )
    def change_limit(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        most = form.cleaned_data["most"]
        done = f"At most {most} at once now." if most else "There is no limit here any more."
        return self._change(request, object_id, lambda place: limit_set(**place, most=most), done)

    @action(
        description="Remove",
        permissions=["limit"],
        icon="delete",
        variant="danger",
        dialog={
            "title": "Remove the limit and the pause?",
            "description": "Workers take what they can again.",
            "form_class": DialogForm,
            "form_submit_text": "Remove",
        },
    )
    def remove(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        def both(place: dict[str, Any]) -> None:
            queue_resume(**place)
            limit_set(**place, most=None)

        return self._change(request, object_id, both, "Nothing is set there any more.")

    def _change(
        self, request: HttpRequest, object_id: str, service: Callable[[dict[str, Any]], object], done: str
    ) -> HttpResponse:
        limit = self.get_object(request, unquote(object_id))
        if limit is None:
            raise Http404
        self.attempt(request, lambda: service(_place_of(request, limit)), done)
        is_left = QueueLimit.objects.filter(pk=limit.pk).exists()
        return after_dialog(reverse("admin:tasks_queuelimit_change", args=[limit.pk]) if is_left else reverse(LIST))

    @action(description="Pause the selected", permissions=["steer"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[QueueLimit]) -> None:
        self._change_all(request, queryset, queue_pause, "paused")

    @action(description="Resume the selected", permissions=["steer"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[QueueLimit]) -> None:
        self._change_all(request, queryset, queue_resume, "resumed")

    def _change_all(
        self, request: HttpRequest, limits: QuerySet[QueueLimit], service: Callable[..., object], done: str
    ) -> None:
        for limit in limits:
            if self.has_steer_permission(request, limit):
                place = _place_of(request, limit)
                self.attempt(request, partial(service, **place), f"{self.place(limit)}: {done}.")


def _place_of(request: HttpRequest, limit: QueueLimit) -> dict[str, Any]:
    """What every service of limits asks for."""
    return {"workspace_id": limit.workspace_id, "kind": limit.kind, "key": limit.key, "by": _name(request)}


def _name(request: HttpRequest) -> str:
    return request.user.get_username()


def meter(held: int, most: int | None) -> SafeString | str:
    """`2 of 3` with a bar; without a limit the number alone."""
    if most is None:
        return str(held)
    bar = (
        '<span class="ct-held"><svg class="ct-meter {2}" viewBox="0 0 100 8" preserveAspectRatio="none" '
        'aria-hidden="true"><rect width="{3}" height="8"/></svg> {0} of {1}</span>'
    )
    return format_html(bar, held, most, "ct-warning" if held >= most else "", min(100, round(100 * held / most)))
