"""The list of tasks and the page of one: facts read-only, its log as a transcript, and steering."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.accounts.console import display
from apps.core.blocks import TEXT_LIMIT, Block
from apps.core.markdown import rendered
from apps.core.spending import spending
from apps.files.selectors import files_of_tasks
from apps.sessions.selectors import session_key
from apps.tasks import log
from apps.tasks.admin.bulk import Bulk
from apps.tasks.admin.filters import (
    AgentTypeFilter,
    CodebaseFilter,
    NeedsFilter,
    SessionFilter,
    StateFilter,
    WorkerFilter,
)
from apps.tasks.admin.finding import Findable
from apps.tasks.admin.lines import STATE_TONES
from apps.tasks.admin.logpages import LogPages
from apps.tasks.admin.spans import CostFilter, MadeFilter, RequiresFilter
from apps.tasks.admin.steering import is_asking
from apps.tasks.admin.transcript import transcript
from apps.tasks.admin.trees import tree_shown
from apps.tasks.models import Task, TaskEvent
from apps.tasks.selectors import made_by, open_question
from apps.tasks.states import TERMINAL, State

FILES_SHOWN = 200


@admin.register(Task)
class TaskAdmin(Findable, Bulk, LogPages):
    explain_pending: ClassVar[Callable[[Task], object]] = staticmethod(lambda task: None)
    """Says why a pending task waits. Only workers know, and the heart may not ask them: they put it here."""
    deliveries_of: ClassVar[Callable[[Task], Iterable[object]]] = staticmethod(lambda task: ())
    """Who is told of a task, each with `receiver`, `status`, `tone`, `url`, `at`. The face that tells puts it here."""

    list_display = ("title", "state_label", "codebase", "worker", "priority", "attempts", "made", "spent")
    list_filter: ClassVar[tuple[Any, ...]] = (
        NeedsFilter, StateFilter, MadeFilter, CostFilter, CodebaseFilter, AgentTypeFilter, RequiresFilter, WorkerFilter,
        SessionFilter,
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = ("codebase", "workspace")
    search_fields = ("id__iexact", "title", "session_id__iexact", "context_id__iexact", "worker_id__iexact")
    search_help_text = "Words of the title, or the id of a task, session, context or worker"
    ordering = ("-id",)  # ids are UUIDv7: newest first by the primary key, in whatever workspaces
    change_form_template = "admin/tasks/task/change_form.html"
    fields = ()
    empty_hint = "Hand one over: POST /v1/opencode/codebases/ID/trigger, or message/send by A2A. It is here at once."

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
        shown = {**self.head(request, task), **self.log_shown(request, task), **self._beside(task)} if task else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def head(self, request: HttpRequest, task: Task) -> dict[str, Any]:
        """What changes while a task is under way, and is shown above its log."""
        live = State(task.state) not in TERMINAL
        asked = open_question(task)
        return {
            "task": task,
            "title": task.title,
            "subtitle": None,
            "tone": STATE_TONES[task.state],
            "model": task.model or task.usage.get("model", ""),
            "spent": spending(task.usage),
            "took": took(task),
            "stuck": task.lease_expires_at is not None and task.lease_expires_at < timezone.now(),
            "why_pending": type(self).explain_pending(task),
            "asking": is_asking(task),
            "question": question_of(asked) if asked else None,
            "session_key": session_key(task.codebase_id, task.session_id),
            "working": tree_shown(task),
            "live": live,
            "may_steer": self.has_steer_permission(request, task) and live,
        }

    def _beside(self, task: Task) -> dict[str, Any]:
        """What is shown below the log."""
        return {
            "result_html": rendered(task.result[:TEXT_LIMIT]),
            "made": made_by(task.pk),
            "files": list(files_of_tasks(task.workspace_id, task.pk)[:FILES_SHOWN]),
            "deliveries": list(type(self).deliveries_of(task)),
        }


def question_of(asked: TaskEvent) -> Block:
    """The question that is open, as it stands in the transcript."""
    event = log.LogEvent(asked.task_id, asked.seq, asked.position, asked.kind, asked.data, asked.created_at)
    return transcript([event])[0]


def took(task: Task) -> str:
    """How long the latest attempt took or has taken, in words; empty before it began."""
    if task.started_at is None:
        return ""
    seconds = int(((task.completed_at or timezone.now()) - task.started_at).total_seconds())
    minutes, seconds = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)[:40] or "0 s"
