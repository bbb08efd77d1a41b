"""The list of tasks and the page of one: facts read-only, its log as a transcript, and steering."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone

from apps.accounts.console import display
from apps.accounts.reach import reach_of
from apps.tasks import log
from apps.tasks.admin.filters import AgentTypeFilter, CodebaseFilter, NeedsFilter, StateFilter, WorkerFilter
from apps.tasks.admin.steering import Steering, is_asking
from apps.tasks.admin.transcript import transcript
from apps.tasks.admin.trees import tree_shown
from apps.tasks.models import Task
from apps.tasks.states import TERMINAL, State

WINDOW = 1_000
"""Events that a task's page shows at a time."""

STATE_TONES = {
    "pending": "default",
    "running": "info",
    "input_required": "warning",
    "auth_required": "warning",
    "completed": "success",
    "failed": "danger",
    "cancelled": "default",
    "rejected": "danger",
}


@admin.register(Task)
class TaskAdmin(Steering):
    explain_pending: ClassVar[Callable[[Task], object]] = staticmethod(lambda task: None)
    """Says why a pending task waits. Only workers know, and the heart may not ask them: they put it here."""

    list_display = ("title", "state_label", "codebase", "worker", "priority", "attempts", "made", "spent")
    list_filter = (NeedsFilter, StateFilter, CodebaseFilter, AgentTypeFilter, WorkerFilter)
    list_filter_submit = True
    list_select_related = ("codebase", "workspace")
    search_fields = ("id__iexact", "title", "session_id__iexact", "context_id__iexact", "worker_id__iexact")
    search_help_text = "Words of the title, or the id of a task, session, context or worker"
    ordering = ("-id",)  # ids are UUIDv7: newest first by the primary key, in whatever workspaces
    change_form_template = "admin/tasks/task/change_form.html"
    fields = ()
    empty_hint = "Hand one over: POST /v1/opencode/codebases/ID/trigger, or message/send by A2A. It is here at once."

    def get_urls(self) -> list[URLPattern]:
        tail = path("<path:object_id>/tail/", self.admin_site.admin_view(self.tail_view), name="tasks_task_tail")
        return [tail, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without what may be long: a list needs none of it, and a page asks for the result by itself."""
        return super().get_queryset(request).defer("metadata", "prompt", "result")

    def get_fieldsets(self, request: HttpRequest, obj: Task | None = None) -> Any:
        """None: the page has its own face, and a task is not changed by a form."""
        return ()

    @display(description="State", ordering="state", label=STATE_TONES)
    def state_label(self, task: Task) -> tuple[str, str]:
        return task.state, task.state.replace("_", " ")

    @display(description="Worker", ordering="worker_id", empty_value="—")
    def worker(self, task: Task) -> str | None:
        return task.worker_id or None

    @display(description="Attempt", ordering="attempt")
    def attempts(self, task: Task) -> str:
        return f"{task.attempt} of {task.max_attempts}"

    @display(description="Cost, tokens", empty_value="—")
    def spent(self, task: Task) -> str | None:
        return spending(task.usage) or None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        task = self.get_object(request, unquote(object_id))
        shown = self._page(request, task) if task else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def tail_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """What an open page asks for: `{head, blocks, last_seq, live}` after `?after=`, the first two as HTML."""
        task = self.get_object(request, unquote(object_id))
        if task is None or not self.has_view_permission(request, task):
            raise Http404
        page = self._page(request, task)
        return JsonResponse(
            {
                "head": render_to_string("admin/tasks/task/head.html", page, request),
                "blocks": render_to_string("admin/tasks/task/blocks.html", page, request),
                "asking": is_asking(task),
                "last_seq": page["read_to"],
                "more": page["later"] is not None,
                "live": page["live"],
            }
        )

    def _page(self, request: HttpRequest, task: Task) -> dict[str, Any]:
        """What the page of a task shows of it: the window of its log after `?after=`, by default its end."""
        after = _after(request, default=max(0, task.last_seq - WINDOW))
        events = log.read(task.pk, after, WINDOW)
        read_to = events[-1].seq if events else after
        return {
            "task": task,
            "title": task.title,
            "subtitle": None,
            "tone": STATE_TONES[task.state],
            "model": task.model or task.usage.get("model", ""),
            "spent": spending(task.usage),
            "stuck": task.lease_expires_at is not None and task.lease_expires_at < timezone.now(),
            "why_pending": type(self).explain_pending(task),
            "asking": is_asking(task),
            "working": tree_shown(task),
            "live": State(task.state) not in TERMINAL,
            "may_steer": self.has_steer_permission(request, task) and State(task.state) not in TERMINAL,
            "blocks": transcript(events),
            "stream": reach_of(request).home == task.workspace_id,
            "read_from": after,
            "read_to": read_to,
            "earlier": max(0, after - WINDOW) if after else None,
            "later": read_to if read_to < task.last_seq else None,
        }


def _after(request: HttpRequest, *, default: int) -> int:
    """`?after=`, where it is a number that can be meant."""
    given = request.GET.get("after", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 15 else default


def spending(usage: dict[str, Any]) -> str:
    """Cost and tokens in words: `$0.12 · 3.4k in · 512 out`; empty where nothing is known."""
    parts = [f"${usage['cost_usd']:.2f}"] if usage.get("cost_usd") else []
    for name, word in (("input_tokens", "in"), ("output_tokens", "out")):
        if usage.get(name):
            parts.append(f"{_short(usage[name])} {word}")
    return " · ".join(parts)


def _short(number: int) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return str(number)
