"""The list of workers, and what a person may do to one."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import ChoiceFilter, DialogForm, WorkspaceAdmin, action, display, moment
from apps.accounts.permissions import Scope
from apps.tasks.admin.places import limiting
from apps.tasks.selectors import held_by
from apps.tasks.services import limit_set
from apps.workers.admin.presence import TONES, is_older, presence
from apps.workers.models import Worker
from apps.workers.selectors import here
from apps.workers.services import worker_drain


def asking_and_busy(worker: Any) -> tuple[int, int]:
    """How many of its tasks ask, and on how many it works: those that ask leave it free for more."""
    held = worker.held or {"held": 0, "asking": 0}
    return held["asking"], held["held"] - held["asking"]


class PresenceFilter(ChoiceFilter):
    title = "presence"
    parameter_name = "presence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("online", "Online"), ("draining", "Draining"), ("offline", "Offline")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Worker]) -> QuerySet[Worker]:
        match self.value():
            case "online":
                return queryset.filter(here(), draining=False, stopping=False)
            case "draining":
                return queryset.filter(here()).exclude(draining=False, stopping=False)
            case "offline":
                return queryset.exclude(here())
            case _:
                return queryset


class ListedWorkers(WorkspaceAdmin):
    """What workers said of themselves is theirs to change; a person may drain them."""

    palette_icon = "dns"
    list_display = ("name", "presence", "at_work", "program_names", "model_count", "version_label", "hostname", "seen")
    list_filter = (PresenceFilter,)
    search_fields = ("name", "worker_id", "hostname")
    search_help_text = "A name, an id or a host"
    ordering = ("name", "worker_id")
    fields = ()
    actions_detail = ("drain", "resume", "limit")
    empty_hint = "Start one where the code is: codetether-worker --server URL --token-file FILE --codebase PATH."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        held = held_by(workspace_id=OuterRef("workspace_id"), worker_id=OuterRef("worker_id"))
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(held=held, is_here=here())
        return counted

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """None: the page has its own face, and a worker is not changed by a form."""
        return ()

    def palette_note(self, row: Worker) -> str:
        return row.hostname or row.worker_id

    @display(description="Status", ordering="last_seen_at", label=TONES)
    def presence(self, worker: Worker) -> str:
        return presence(worker)

    @display(description="Last seen", ordering="last_seen_at")
    def seen(self, worker: Worker) -> SafeString:
        return moment(worker.last_seen_at)

    @display(description="Agent programs", empty_value="—")
    def program_names(self, worker: Worker) -> str | None:
        return ", ".join(program["name"] for program in worker.programs) or None

    @display(description="Models")
    def model_count(self, worker: Worker) -> int:
        return len(worker.offered_models)

    @display(description="Version", ordering="version", empty_value="—")
    def version_label(self, worker: Worker) -> SafeString | str | None:
        if not is_older(worker.version):
            return worker.version or None
        return format_html('{} <span class="ct-label ct-warning">older than the server</span>', worker.version)

    @display(description="At work", ordering="held__held")
    def at_work(self, worker: Any) -> SafeString | str:
        """What it works on of what it says that it runs at once, and what asks; a link to all that it holds."""
        asking, busy = asking_and_busy(worker)
        words = f"{busy} of {worker.concurrency}" if worker.concurrency else str(busy)
        if not worker.held:
            return words
        url = reverse("admin:tasks_task_changelist", query={"worker": worker.worker_id, "needs": "held"})
        more = f", {asking} ask{'' if asking > 1 else 's'}" if asking else ""
        return format_html('<a class="ct-link" href="{}">{}{}</a>', url, words, more)

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.TASKS_WRITE, obj)

    def has_limit_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN, obj)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Drain or resume, whichever changes something."""
        worker = self.get_object(request, unquote(object_id))
        useless = "workers_worker_drain" if worker and worker.draining else "workers_worker_resume"
        listed: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [entry for entry in listed if entry.action_name != useless]

    @action(
        description="Drain",
        permissions=["steer"],
        variant="warning",
        icon="water_drop",
        dialog={
            "title": "Drain this worker?",
            "description": "It finishes what it holds and takes nothing new. It hears with its next heartbeat.",
            "form_class": DialogForm,
            "form_submit_text": "Drain",
        },
    )
    def drain(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._set_draining(request, object_id, draining=True)

    @action(
        description="Take work again",
        permissions=["steer"],
        variant="primary",
        icon="play_arrow",
        dialog={
            "title": "Let this worker take work again?",
            "form_class": DialogForm,
            "form_submit_text": "Take work again",
        },
    )
    def resume(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._set_draining(request, object_id, draining=False)

    def _set_draining(self, request: HttpRequest, object_id: str, *, draining: bool) -> HttpResponse:
        by = request.user.get_username()
        return self.act_on(
            request,
            object_id,
            lambda worker: worker_drain(
                workspace_id=worker.workspace_id, worker_id=worker.worker_id, draining=draining, by=by
            ),
            "It takes nothing new from now on." if draining else "It takes work again.",
        )

    @action(**limiting("its"))
    def limit(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        most, by = form.cleaned_data["most"], request.user.get_username()
        return self.act_on(
            request,
            object_id,
            lambda worker: limit_set(
                workspace_id=worker.workspace_id, kind="worker", key=worker.worker_id, most=most, by=by
            ),
            "Its limit is set." if most else "Nobody limits it now.",
        )
