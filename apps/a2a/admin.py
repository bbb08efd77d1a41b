"""The console's page of push notifications: who is told of which task, and how that goes. Secrets are never shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.a2a.models import PushConfig, PushConfigHistory
from apps.a2a.push_cursor import config_retry
from apps.accounts.console import ChoiceFilter, DialogForm, WorkspaceAdmin, action, after_dialog, display, moment
from apps.accounts.permissions import Scope
from apps.tasks.admin import TaskAdmin

IDLE, WAITING, FAILING, GIVEN_UP = "told", "waiting", "failing", "given up"
TONES = {IDLE: "success", WAITING: "info", FAILING: "warning", GIVEN_UP: "danger"}
DELIVERIES_SHOWN = 20


class StatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name.capitalize()) for name in (FAILING, GIVEN_UP, WAITING)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PushConfig]) -> QuerySet[PushConfig]:
        match self.value():
            case "failing":
                return queryset.filter(attempts__gt=0, given_up_at__isnull=True)
            case "given up":
                return queryset.filter(given_up_at__isnull=False)
            case "waiting":
                return queryset.filter(due_at__isnull=False, attempts=0)
            case _:
                return queryset


@admin.register(PushConfig)
class PushConfigAdmin(WorkspaceAdmin):
    list_display = ("told_of", "receiver", "status", "attempts", "last_error", "last_sent", "made")
    list_filter = (StatusFilter, "version")
    search_fields = ("host", "config_id", "last_error")
    list_select_related = ("task",)
    ordering = ("-created_at", "-id")
    readonly_fields = (
        "told_of", "receiver", "status", "last_sent", "next_attempt", "given_up", "made", "secrets",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("told_of", "receiver", "status", "last_sent")}),
        ("Failures", {"fields": ("attempts", "last_error", "next_attempt", "given_up")}),
        ("What was asked for", {"fields": ("config_id", "version", "secrets", "created_by", "made", "sent_seq")}),
    )
    list_display_links = ("receiver",)  # the task leads to itself
    actions_detail = ("retry",)
    history = PushConfigHistory
    empty_hint = "A2A clients ask for them, with a message or for a task that is under way."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "A2A receivers", **(extra_context or {})})

    @display(description="Task", ordering="task__title")
    def told_of(self, config: PushConfig) -> SafeString:
        url = reverse("admin:tasks_task_change", args=[config.task_id])
        return format_html('<a class="ct-link" href="{}">{}</a>', url, config.task.title)

    @display(description="Receiver", ordering="host")
    def receiver(self, config: PushConfig) -> str:
        return receiver_of(config)

    @display(description="Status", label=TONES)
    def status(self, config: PushConfig) -> str:
        return status_of(config)

    @display(description="Last sent", ordering="last_sent_at", empty_value="—")
    def last_sent(self, config: PushConfig) -> SafeString | None:
        return moment(config.last_sent_at) if config.last_sent_at else None

    @display(description="Next attempt", ordering="due_at", empty_value="—")
    def next_attempt(self, config: PushConfig) -> SafeString | None:
        return moment(config.due_at) if config.due_at else None

    @display(description="Given up", ordering="given_up_at", empty_value="—")
    def given_up(self, config: PushConfig) -> SafeString | None:
        return moment(config.given_up_at) if config.given_up_at else None

    @display(description="Sent along")
    def secrets(self, config: PushConfig) -> str:
        known = [("a token", config.token), (f"{config.scheme} credentials", config.credentials)]
        return ", ".join(name for name, secret in known if secret) or "no secrets"

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.TASKS_WRITE, obj)

    @action(
        description="Try now",
        permissions=["steer"],
        icon="refresh",
        variant="primary",
        dialog={
            "title": "Tell the receiver now?",
            "description": "What it has not heard yet is sent, also if it was given up.",
            "form_class": DialogForm,
            "form_submit_text": "Try now",
        },
    )
    def retry(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        config = self.get_object(request, object_id)
        if config is None:
            raise Http404
        place = {"workspace_id": config.workspace_id, "config_id": config.pk, "by": request.user.get_username()}
        self.attempt(request, lambda: config_retry(**place), "It is told within some seconds.")
        return after_dialog(reverse("admin:a2a_face_pushconfig_change", args=[object_id]))


def receiver_of(config: PushConfig) -> str:
    """Without its query, where some receivers have their secret."""
    return config.url.partition("?")[0].partition("#")[0]


def status_of(config: PushConfig) -> str:
    if config.given_up_at is not None:
        return GIVEN_UP
    if config.attempts:
        return FAILING
    return IDLE if config.due_at is None else WAITING


@dataclass(frozen=True, slots=True)
class Delivery:
    """One receiver of a task's news, for the task's page."""

    receiver: str
    status: str
    tone: str
    url: str
    at: datetime | None


def deliveries_of(task: Any) -> list[Delivery]:
    """Who is told of a task, the latest asked first."""
    configs = PushConfig.objects.filter(task_id=task.pk, workspace_id=task.workspace_id)[:DELIVERIES_SHOWN]
    return [_delivery(config) for config in configs]


def _delivery(config: PushConfig) -> Delivery:
    url = reverse("admin:a2a_face_pushconfig_change", args=[config.pk])
    status = status_of(config)
    return Delivery(receiver_of(config), status, TONES[status], url, config.last_sent_at)


TaskAdmin.deliveries_of = staticmethod(deliveries_of)
