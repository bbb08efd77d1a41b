"""The console's pages of workers, and what workers know that the heart's pages show."""

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.accounts.console import ChoiceFilter, DialogForm, WorkspaceAdmin, action, after_dialog, display, moment
from apps.accounts.permissions import Scope
from apps.tasks.admin import Places, TaskAdmin
from apps.tasks.selectors import held_count
from apps.workers.models import Worker
from apps.workers.selectors import here
from apps.workers.services import worker_drain
from apps.workers.waiting import why_pending


def worker_names(workspace_ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, str, str]]:
    """(workspace, worker id, name) of the workers of some workspaces, by name."""
    rows = Worker.objects.filter(workspace_id__in=workspace_ids).order_by("name", "worker_id")
    return list(rows.values_list("workspace_id", "worker_id", "name"))


TaskAdmin.explain_pending = staticmethod(why_pending)
Places.worker_names = staticmethod(worker_names)


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


@admin.register(Worker)
class WorkerAdmin(WorkspaceAdmin):
    """What workers said of themselves is theirs to change; a person may drain them."""

    palette_icon = "dns"
    list_display = ("name", "presence", "agent_list", "model_count", "held", "concurrency", "version", "seen")
    list_filter = (PresenceFilter,)
    search_fields = ("name", "worker_id", "hostname")
    ordering = ("name", "worker_id")
    readonly_fields = ("seen", "presence", "held", "agent_list", "program_list", "model_list", "codebase_list")
    fieldsets = (
        (None, {"fields": ("name", "presence", "held", "concurrency", "seen")}),
        ("What it offers", {"fields": ("agent_list", "program_list", "model_list", "capabilities", "codebase_list")}),
        ("Identity", {"fields": ("worker_id", "hostname", "version", "registered_at", "unregistered_at")}),
    )
    actions_detail = ("drain", "resume")
    empty_hint = "Start one where the code is: codetether-worker --server URL --token-file FILE --codebase PATH."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        held = held_count(workspace_id=OuterRef("workspace_id"), worker_id=OuterRef("worker_id"))
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(held_count=held, is_here=here())
        return counted

    def palette_note(self, row: Worker) -> str:
        return row.hostname or row.worker_id

    @display(
        description="Status",
        ordering="last_seen_at",
        label={"online": "success", "draining": "warning", "offline": "danger"},
    )
    def presence(self, worker: Worker) -> str:
        if not worker.is_here:
            return "offline"
        return "draining" if worker.drains else "online"

    @display(description="Last seen", ordering="last_seen_at")
    def seen(self, worker: Worker) -> SafeString:
        return moment(worker.last_seen_at)

    @display(description="Agents")
    def agent_list(self, worker: Worker) -> str:
        return ", ".join(agent["role"] for agent in worker.agents) or "—"

    @display(description="Models")
    def model_count(self, worker: Worker) -> int:
        return len(worker.offered_models)

    @display(description="Models")
    def model_list(self, worker: Worker) -> SafeString | str:
        return _lines(model["id"] for model in worker.offered_models)

    @display(description="Agent programs")
    def program_list(self, worker: Worker) -> SafeString | str:
        return _lines(f"{program['name']} {program['version']}" for program in worker.programs)

    @display(description="Codebases")
    def codebase_list(self, worker: Worker) -> str:
        return ", ".join([*worker.codebases, *filter(None, [worker.global_codebase_id])]) or "those bound to it"

    @display(description="Held tasks", ordering="held_count")
    def held(self, worker: Any) -> SafeString | str:
        if not worker.held_count:
            return "none"
        url = reverse("admin:tasks_task_changelist", query={"worker": worker.worker_id, "needs": "held"})
        return format_html('<a class="ct-link" href="{}">{}</a>', url, worker.held_count)

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.TASKS_WRITE, obj)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Drain or resume, whichever changes something."""
        worker = self.get_object(request, object_id)
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
        worker, by = self.get_object(request, object_id), request.user.get_username()
        if worker is not None:
            self.attempt(
                request,
                lambda: worker_drain(
                    workspace_id=worker.workspace_id, worker_id=worker.worker_id, draining=draining, by=by
                ),
                f"{worker.name} {'takes nothing new from now on' if draining else 'takes work again'}.",
            )
        return after_dialog(reverse("admin:workers_worker_change", args=[object_id]))


def _lines(texts: Iterable[str]) -> SafeString | str:
    return format_html_join("", '<div class="ct-mono">{}</div>', ((text,) for text in texts)) or "—"
