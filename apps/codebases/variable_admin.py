"""The console's page of variables. Rows are facts; variables are set, changed and removed in dialogs."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.console import DialogForm, WorkspaceAdmin, action, after_dialog, display
from apps.accounts.models import Workspace
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.codebases.models import Codebase, Variable, VariableHistory
from apps.codebases.variable_services import NewVariable, variable_remove, variable_set

LIST = "admin:codebases_variable_changelist"
AGENT_TYPES = "Kinds of task that get it, separated by commas: build, plan. Empty: all."


class ChangeForm(DialogForm):
    """What is typed as the value is never shown again, not even to who typed it."""

    value = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Empty: it stays as it is.",
    )
    description = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget())
    agent_types = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget(), help_text=AGENT_TYPES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = self._variable(kwargs["request"])
        if shown is not None:
            self.fields["description"].initial = shown.description
            self.fields["agent_types"].initial = ", ".join(shown.agent_types)

    @staticmethod
    def _variable(request: HttpRequest) -> Variable | None:
        """Whose dialog it is; of another workspace's nothing is shown."""
        key = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        open_to = reach_of(request).workspaces(Scope.ADMIN)
        return Variable.objects.filter(pk=unquote(key), workspace__in=open_to).first() if key else None

    def new(self, kind: str | None = None) -> NewVariable:
        said = self.cleaned_data
        names = [name.strip() for name in said["agent_types"].split(",") if name.strip()]
        return NewVariable(value=said["value"] or None, kind=kind, description=said["description"], agent_types=names)


class SetForm(ChangeForm):
    workspace = forms.ModelChoiceField(Workspace.objects.none(), widget=UnfoldAdminSelectWidget())
    codebase = forms.ModelChoiceField(
        Codebase.objects.none(), required=False, widget=UnfoldAdminSelectWidget(),
        empty_label="All of the workspace",
    )  # fmt: skip
    name = forms.CharField(max_length=128, widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "NPM_TOKEN"}))
    kind = forms.ChoiceField(
        choices=[("secret", "Secret: shown to nobody"), ("variable", "Variable: shown to all who read codebases")],
        widget=UnfoldAdminSelectWidget(),
    )
    field_order = ("workspace", "codebase", "name", "kind", "value", "description", "agent_types")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_to = reach_of(kwargs["request"]).workspaces(Scope.ADMIN)
        there = Codebase.objects.filter(workspace__in=open_to).exclude(status=Codebase.Status.REMOVED).order_by("name")
        for name, choices in (("workspace", open_to), ("codebase", there)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
            field.queryset = choices
        self.fields["value"].help_text = ""
        self.fields["codebase"].initial = kwargs["request"].GET.get("codebase")
        if len(open_to) == 1:
            self.fields["workspace"].initial, self.fields["workspace"].widget = open_to[0].pk, forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        codebase, workspace = said.get("codebase"), said.get("workspace")
        if codebase is not None and workspace is not None and codebase.workspace_id != workspace.pk:
            raise forms.ValidationError({"codebase": "This codebase is of another workspace."})
        return said


@admin.register(Variable)
class VariableAdmin(WorkspaceAdmin):
    view_scope = Scope.CODEBASES_READ
    list_display = ("name", "place", "kind_label", "shown_value", "used_by", "set_by", "updated")
    list_filter = ("kind",)
    search_fields = ("name", "description", "codebase__name")
    list_select_related = ("codebase", "workspace")
    readonly_fields = (
        "name", "place", "kind_label", "shown_value", "used_by", "description", "set_by", "made", "updated",
    )  # fmt: skip
    fieldsets = ((None, {"fields": readonly_fields}),)
    actions_list = ("set_one",)
    actions_detail = ("change_one", "remove_one")
    history = VariableHistory
    empty_hint = "Set one, and agents find it in their environment: the address of a database, a registry's token."

    @display(description="Counts in", ordering="codebase__name")
    def place(self, variable: Variable) -> str:
        return variable.codebase.name if variable.codebase else "all codebases"

    @display(description="Kind", ordering="kind", label={"secret": "warning", "variable": "info"})
    def kind_label(self, variable: Variable) -> str:
        return variable.kind

    @display(description="Value")
    def shown_value(self, variable: Variable) -> str:
        return "set, and not shown" if variable.kind == Variable.Kind.SECRET else variable.value[:200]

    @display(description="Given to")
    def used_by(self, variable: Variable) -> str:
        return ", ".join(variable.agent_types) or "all tasks"

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN, obj)

    @action(
        description="Set a variable",
        permissions=["manage"],
        icon="add",
        variant="primary",
        dialog={"title": "Set a variable", "form_class": SetForm, "form_submit_text": "Set"},
    )
    def set_one(self, request: HttpRequest, form: SetForm) -> HttpResponse:
        said = form.cleaned_data
        workspace_id, by = said["workspace"].pk, request.user.get_username()
        codebase_id = said["codebase"].pk if said["codebase"] else None
        self.attempt(
            request,
            lambda: variable_set(
                workspace_id=workspace_id, codebase_id=codebase_id, name=said["name"], new=form.new(said["kind"]), by=by
            ),
            "It is set; agents that start from now on get it.",
        )
        back = "codebase" in request.GET and codebase_id  # whose page asked
        return after_dialog(reverse("admin:codebases_codebase_change", args=[codebase_id]) if back else reverse(LIST))

    @action(
        description="Change",
        permissions=["manage"],
        icon="edit",
        dialog={"title": "Change this variable", "form_class": ChangeForm, "form_submit_text": "Change"},
    )
    def change_one(self, request: HttpRequest, form: ChangeForm, object_id: str) -> HttpResponse:
        by = request.user.get_username()
        return self.act_on(
            request,
            object_id,
            lambda one: variable_set(
                workspace_id=one.workspace_id, codebase_id=one.codebase_id, name=one.name, new=form.new(), by=by
            ),
            "It is changed; agents that start from now on get it.",
        )

    @action(
        description="Remove",
        permissions=["manage"],
        icon="delete",
        variant="danger",
        dialog={
            "title": "Remove this variable?",
            "description": "Agents that run keep what they were given.",
            "form_class": DialogForm,
            "form_submit_text": "Remove",
        },
    )
    def remove_one(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        by = request.user.get_username()
        return self.act_on(
            request,
            object_id,
            lambda one: variable_remove(
                workspace_id=one.workspace_id, codebase_id=one.codebase_id, name=one.name, by=by
            ),
            "It is removed.",
        )
