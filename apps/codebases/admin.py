"""The console's pages of codebases."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.accounts.console import RowForm, WorkspaceAdmin, display
from apps.accounts.permissions import Scope
from apps.codebases.models import Codebase, CodebaseHistory
from apps.codebases.rules import LIMIT_SETTINGS, LimitFields
from apps.codebases.services import CodebaseChange, codebase_change
from apps.codebases.variable_admin import VariableAdmin as VariableAdmin

AGENT_SETTINGS = (
    "program",
    "default_model",
    "auto_approve",
    "max_iterations",
    "working_directory",
    "working_tree",
    "parallel",
)


class CodebaseForm(LimitFields, RowForm):
    """A codebase's words, and how agents work in it; the latter are single keys of its `agent_config`."""

    program = forms.RegexField(
        r"^[A-Za-z0-9._-]*$",
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "opencode"}),
        help_text="The agent program for its tasks: opencode, claude, codex, gemini, builtin, or the name of another "
        "that its worker has. Empty: the worker's choice.",
    )
    default_model = forms.CharField(
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "provider/model"}),
        help_text="For tasks that name no model. Empty: the agent program's own default.",
    )
    auto_approve = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Off: the agent asks a person before it edits or runs anything.",
    )
    max_iterations = forms.IntegerField(min_value=1, max_value=1000, widget=UnfoldAdminIntegerFieldWidget())
    working_directory = forms.CharField(
        max_length=4096,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A folder below the codebase's, where agents begin. Empty: its root.",
    )
    working_tree = forms.ChoiceField(
        choices=[("in_place", "In its own folder, one task at a time"), ("worktree", "A git worktree for each task")],
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="In a worktree tasks run side by side; what they make is merged or discarded on the task's page.",
    )
    parallel = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Several tasks at once in the one folder. Agents that edit the same files spoil each other's work.",
    )

    class Meta:
        model = Codebase
        fields = ("name", "description")
        widgets: ClassVar[dict[str, Any]] = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        config = kwargs["instance"].agent_config if kwargs.get("instance") else {}
        present = {"auto_approve": True, "max_iterations": 10, "working_tree": "in_place"} | {
            name: config[name] for name in (*AGENT_SETTINGS, *LIMIT_SETTINGS) if name in config
        }
        super().__init__(*args, **{**kwargs, "initial": {**present, **(kwargs.get("initial") or {})}})

    def clean_working_tree(self) -> str:
        return self.cleaned_data["working_tree"] or "in_place"


@admin.register(Codebase)
class CodebaseAdmin(WorkspaceAdmin):
    """Its form changes name, description and how agents work in it; where it is, its worker says.

    The heart, of which this app knows nothing, registers a fuller one (`apps.tasks.admin.codebases`).
    """

    view_scope = Scope.CODEBASES_READ
    change_scope = Scope.CODEBASES_WRITE
    form = CodebaseForm
    history = CodebaseHistory
    palette_icon = "folder_code"
    list_display: tuple[str, ...] = ("name", "path", "worker")
    search_fields = ("name", "path", "worker_id", "id")
    search_help_text = "A name, a path, or the id of a codebase or worker"
    fieldsets: ClassVar[tuple[Any, ...]] = (
        (None, {"fields": ("name", "description")}),
        ("How agents work in it", {"fields": AGENT_SETTINGS}),
        ("What they may do and use", {"fields": LIMIT_SETTINGS}),
    )
    empty_hint = (
        "Offer one where its code is: codetether-worker --codebase NAME:PATH; or register it by POST "
        "/v1/opencode/codebases."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        present: QuerySet[Any] = super().get_queryset(request).exclude(status=Codebase.Status.REMOVED)
        return present

    def palette_note(self, row: Codebase) -> str:
        return row.path

    @display(description="Worker", ordering="worker_id", empty_value="—")
    def worker(self, codebase: Codebase) -> str | None:
        return codebase.worker_id or None

    def save_model(self, request: HttpRequest, obj: Codebase, form: Any, change: bool) -> None:
        said = form.cleaned_data
        codebase_change(
            workspace_id=obj.workspace_id,
            codebase_id=obj.pk,
            change=CodebaseChange(
                name=said["name"],
                description=said["description"],
                agent_config={name: said[name] for name in (*AGENT_SETTINGS, *LIMIT_SETTINGS)},
            ),
        )
