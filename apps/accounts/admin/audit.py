"""The console's page of the audit trail: read, searched and verified. Nobody changes an entry."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import ChoiceFilter, DialogForm, WorkspaceAdmin, action, after_dialog, display, moment
from apps.accounts.models import Workspace
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.audit.actions import Action, Outcome
from apps.audit.checking import chain_check
from apps.audit.models import AuditEntry
from apps.core import jsontext

LIST = "admin:audit_auditentry_changelist"
PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


class ActionFilter(ChoiceFilter):
    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(known.value, known.value) for known in Action]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class OutcomeFilter(ChoiceFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(known.value, known.value) for known in Outcome]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(outcome=self.value()) if self.value() else queryset


class PeriodFilter(ChoiceFilter):
    title = "time"
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, f"The last {name}") for name in PERIODS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        period = PERIODS.get(self.value() or "")
        return queryset.filter(at__gte=timezone.now() - period) if period else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(WorkspaceAdmin):
    view_scope = Scope.ADMIN
    list_display = ("number", "when", "actor", "action", "outcome_label", "target", "address")
    list_display_links = ("number",)
    list_filter = (ActionFilter, OutcomeFilter, PeriodFilter)
    search_fields = ("actor", "target")  # as a whole, see below
    search_help_text = "A whole name, or a whole target such as task:ID."
    fields: ClassVar[tuple[str, ...]] = (
        "seq", "at", "actor", "action", "outcome_label", "target", "address", "request_id", "told", "digest",
    )  # fmt: skip
    readonly_fields = fields
    actions_list = ("verify_chains",)
    empty_hint = "What people and programs change here, and what they are refused, is written down."

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """As an index has them: of one workspace by number, of several as they were written."""
        return ("-id",) if reach_of(request).everything else ("workspace_id", "-seq")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Texts as a whole, which indexes find in a trail of any length."""
        term = search_term.strip()
        return (queryset.filter(Q(actor=term) | Q(target=term)) if term else queryset), False

    @display(description="No.")
    def number(self, entry: AuditEntry) -> int:
        return entry.seq

    @display(description="When")
    def when(self, entry: AuditEntry) -> SafeString:
        return moment(entry.at)

    @display(description="Outcome", label={"done": "success", "refused": "danger"})
    def outcome_label(self, entry: AuditEntry) -> str:
        return entry.outcome

    @display(description="Workspace")
    def workspace(self, entry: AuditEntry) -> str:
        found = Workspace.objects.filter(id=entry.workspace_id).values_list("name", flat=True).first()
        return found or str(entry.workspace_id)

    @display(description="Details")
    def told(self, entry: AuditEntry) -> SafeString:
        return format_html('<pre class="ct-code">{}</pre>', jsontext.dumps(entry.details).decode())

    @display(description="Hash")
    def digest(self, entry: AuditEntry) -> str:
        return bytes(entry.hash).hex()

    def has_verify_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN)

    @action(
        description="Verify",
        permissions=["verify"],
        icon="verified",
        variant="primary",
        dialog={
            "title": "Verify the trail?",
            "description": "Every entry is read and its hash computed again: some seconds for a million.",
            "form_class": DialogForm,
            "form_submit_text": "Verify",
        },
    )
    def verify_chains(self, request: HttpRequest, form: forms.Form) -> HttpResponse:
        for workspace in reach_of(request).workspaces(Scope.ADMIN):
            whole, finding = chain_check(workspace.id)
            if finding is None:
                messages.success(request, f"{workspace.name}: all {whole} entries are as they were written.")
            else:
                messages.error(request, f"{workspace.name}: entry {finding.seq} {finding.fault}")
        return after_dialog(reverse(LIST))
