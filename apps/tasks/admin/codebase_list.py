"""The list of codebases as the heart fills it out: how each is doing, its tasks, and what bounds its queue."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.utils import unquote
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import ChoiceFilter, action, after_dialog, display, moment
from apps.accounts.permissions import Scope
from apps.codebases.admin import CodebaseAdmin
from apps.codebases.models import Codebase
from apps.tasks.admin.places import limiting, pausing, resuming
from apps.tasks.admin.surroundings import Nothing, Surroundings
from apps.tasks.models import QueueLimit
from apps.tasks.selectors import held_in, last_task, open_task_count, pauses_of
from apps.tasks.services import limit_set, queue_pause, queue_resume

Kind = QueueLimit.Kind
STANDINGS = {
    "pending": "warning",
    "asks": "warning",
    "paused": "warning",
    "no worker": "danger",
    "busy": "info",
    "idle": "success",
}
"""How a codebase may be doing, by what a person would want to hear of first; with the tone of each."""


def standing(codebase: Any) -> str:
    """One of STANDINGS; of a codebase of `QueuedCodebases.get_queryset`."""
    if codebase.status == Codebase.Status.PENDING:
        return "pending"
    held = codebase.held or {}
    found = {"asks": held.get("asking"), "paused": codebase.is_paused, "no worker": not codebase.is_served}
    return next((word for word, holds in found.items() if holds), "busy" if held else "idle")


class StandingFilter(ChoiceFilter):
    title = "how it is doing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        words = ("asks", "Asks a person"), ("paused", "Paused"), ("no_worker", "No worker has it"), ("busy", "Busy")
        return [*words, ("pending", "Not confirmed by a worker yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "asks":
                return queryset.filter(held__asking__gt=0)
            case "paused":
                return queryset.filter(is_paused=True)
            case "no_worker":
                return queryset.filter(is_served=False)
            case "busy":
                return queryset.filter(held__isnull=False)
            case "pending":
                return queryset.filter(status=Codebase.Status.PENDING)
            case _:
                return queryset


class QueuedCodebases(CodebaseAdmin):
    surroundings: ClassVar[Surroundings] = Nothing()

    list_display: tuple[str, ...] = ("name", "standing", "open_tasks", "queue", "last", "worker", "path")
    list_filter = (StandingFilter,)
    actions_detail = ("pause", "resume", "limit")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        own = {"workspace_id": OuterRef("workspace_id")}
        limits = QueueLimit.objects.filter(kind=Kind.CODEBASE, key=OuterRef("pk"), **own).order_by()
        bounds = JSONObject(id="id", most="most", held="held", paused="paused_at", reason="reason", by="changed_by")
        around = Q(kind=Kind.CODEBASE, key=OuterRef("pk")) | Q(kind=Kind.WORKSPACE)
        rows: QuerySet[Any] = super().get_queryset(request)
        told: QuerySet[Any] = rows.annotate(
            open_task_count=open_task_count(codebase_id=OuterRef("pk"), **own),
            held=held_in(codebase_id=OuterRef("pk"), **own),
            bound=Subquery(limits.values(bounds=bounds)),
            is_paused=Exists(pauses_of(**own).filter(around)),
            is_served=type(self).surroundings.is_served(),
            last_task=last_task(codebase_id=OuterRef("pk")),
        )
        return told

    @display(description="Status", label=STANDINGS)
    def standing(self, codebase: Any) -> str:
        return standing(codebase)

    @display(description="Open tasks", ordering="open_task_count")
    def open_tasks(self, codebase: Any) -> SafeString:
        """A link to them, worded by how many there are."""
        url = reverse("admin:tasks_task_changelist", query={"codebase": codebase.pk, "needs": "open"})
        return format_html('<a class="ct-link" href="{}">{}</a>', url, codebase.open_task_count or "none")

    @display(description="Last task", empty_value="none yet")
    def last(self, codebase: Any) -> SafeString | None:
        if not codebase.last_task:
            return None
        told = codebase.last_task
        return format_html(
            '<a class="ct-link" href="{}" title="{}">{}</a> {}',
            reverse("admin:tasks_task_change", args=[told["id"]]), told["title"], told["state"].replace("_", " "),
            moment(datetime.fromisoformat(told["at"])),
        )  # fmt: skip

    @display(description="Queue", empty_value="open")
    def queue(self, codebase: Any) -> SafeString | None:
        """Paused or limited, with a link to what is set; nothing where it is open."""
        if not codebase.bound:
            return None
        url = reverse("admin:tasks_queuelimit_change", args=[codebase.bound["id"]])
        tone = "ct-warning" if codebase.bound["paused"] else "ct-info"
        return format_html('<a class="ct-label {}" href="{}">{}</a>', tone, url, bound_in_words(codebase.bound))

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.TASKS_WRITE, obj)

    def has_limit_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN, obj)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Pause or resume, whichever changes something."""
        codebase = self.get_object(request, unquote(object_id))
        is_paused = bool(codebase and codebase.bound and codebase.bound["paused"])
        useless = f"codebases_codebase_{'pause' if is_paused else 'resume'}"
        listed: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [entry for entry in listed if entry.action_name != useless]

    @action(**pausing("Pause this codebase's queue?"))
    def pause(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        place, reason = self._place(request, object_id), form.cleaned_data["reason"]
        self.attempt(request, lambda: queue_pause(**place, reason=reason), "Its queue is paused.")
        return after_dialog(reverse("admin:codebases_codebase_change", args=[object_id]))

    @action(**resuming("Resume this codebase's queue?"))
    def resume(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        place = self._place(request, object_id)
        self.attempt(request, lambda: queue_resume(**place), "Its queue is resumed.")
        return after_dialog(reverse("admin:codebases_codebase_change", args=[object_id]))

    @action(**limiting("its"))
    def limit(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        place, most = self._place(request, object_id), form.cleaned_data["most"]
        self.attempt(
            request, lambda: limit_set(**place, most=most), "Its limit is set." if most else "It has no limit."
        )
        return after_dialog(reverse("admin:codebases_codebase_change", args=[object_id]))

    def _place(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        codebase = self.get_object(request, unquote(object_id))
        if codebase is None:
            raise Http404
        by = request.user.get_username()
        return {"workspace_id": codebase.workspace_id, "kind": "codebase", "key": codebase.pk, "by": by}


def bound_in_words(bound: dict[str, Any]) -> str:
    """`paused by ada: a release`, or `1 of 3 held`."""
    if not bound["paused"]:
        return f"{bound['held']} of {bound['most']} held"
    return f"paused by {bound['by']}" + (f": {bound['reason']}" if bound["reason"] else "")
