"""The pages of codebases as the heart fills them out: open tasks, what bounds the queue, and its pause."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import action, after_dialog, display
from apps.accounts.permissions import Scope
from apps.codebases.admin import CodebaseAdmin
from apps.codebases.models import Codebase
from apps.tasks.admin.places import pausing, resuming
from apps.tasks.admin.trees import trees_shown
from apps.tasks.models import QueueLimit
from apps.tasks.selectors import open_task_count
from apps.tasks.services import queue_pause, queue_resume

admin.site.unregister(Codebase)


@admin.register(Codebase)
class QueuedCodebaseAdmin(CodebaseAdmin):
    list_display: tuple[str, ...] = (
        "name",
        "path",
        "worker",
        "status_label",
        "queue",
        "open_tasks",
        "updated",
    )
    readonly_fields: ClassVar[tuple[str, ...]] = (
        *CodebaseAdmin.readonly_fields,
        "queue",
        "open_tasks",
        "working_trees",
    )
    fieldsets: ClassVar[tuple[Any, ...]] = (
        *CodebaseAdmin.fieldsets,
        ("Its queue", {"fields": ("queue", "open_tasks")}),
        ("Working trees of its tasks", {"fields": ("working_trees",)}),
    )
    actions_detail = ("pause", "resume")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        own = {"workspace_id": OuterRef("workspace_id")}
        limits = QueueLimit.objects.filter(kind=QueueLimit.Kind.CODEBASE, key=OuterRef("pk"), **own).order_by()
        bounds = JSONObject(id="id", most="most", held="held", paused="paused_at", reason="reason", by="changed_by")
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(
            open_task_count=open_task_count(codebase_id=OuterRef("pk"), **own),
            bound=Subquery(limits.values(bounds=bounds)),
        )
        return counted

    @display(description="Open tasks", ordering="open_task_count")
    def open_tasks(self, codebase: Any) -> SafeString:
        """A link to its tasks, worded by how many are open."""
        url = reverse("admin:tasks_task_changelist", query={"codebase": codebase.pk})
        return format_html('<a class="ct-link" href="{}">{}</a>', url, codebase.open_task_count or "none")

    @display(description="Not merged or not clean", empty_value="none")
    def working_trees(self, codebase: Any) -> SafeString | None:
        return trees_shown(codebase)

    @display(description="Queue", empty_value="open")
    def queue(self, codebase: Any) -> SafeString | None:
        """Paused or limited, with a link to what is set; nothing where it is open."""
        if not codebase.bound:
            return None
        url = reverse("admin:tasks_queuelimit_change", args=[codebase.bound["id"]])
        tone = "ct-warning" if codebase.bound["paused"] else "ct-info"
        return format_html('<a class="ct-label {}" href="{}">{}</a>', tone, url, _words(codebase.bound))

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.TASKS_WRITE, obj)

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

    def _place(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        codebase = self.get_object(request, unquote(object_id))
        if codebase is None:
            raise Http404
        by = request.user.get_username()
        return {"workspace_id": codebase.workspace_id, "kind": "codebase", "key": codebase.pk, "by": by}


def _words(bound: dict[str, Any]) -> str:
    """`paused by ada: a release`, or `1 of 3 held`."""
    if not bound["paused"]:
        return f"{bound['held']} of {bound['most']} held"
    return f"paused by {bound['by']}" + (f": {bound['reason']}" if bound["reason"] else "")
