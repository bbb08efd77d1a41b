"""The console's page of remote agents. Rows are facts; agents are registered, changed and removed in dialogs."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.accounts.console import DialogForm, WorkspaceAdmin, action, after_dialog, display, moment
from apps.accounts.models import Workspace
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.federation.cards import skills_of
from apps.federation.models import RemoteAgent, RemoteAgentHistory
from apps.federation.services import (
    Credentials,
    NewRemoteAgent,
    RemoteAgentChange,
    bearer,
    keyed,
    remote_agent_change,
    remote_agent_refresh,
    remote_agent_register,
    remote_agent_remove,
)

LIST = "admin:federation_remoteagent_changelist"


class CredentialsForm(DialogForm):
    """What is typed here is never shown again, not even to who typed it."""

    token = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Its server is shown this as a bearer token.",
    )
    api_key = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Instead of a token: a key, shown in the header below.",
    )
    api_key_header = forms.CharField(required=False, initial="X-API-Key", widget=UnfoldAdminTextInputWidget())

    @property
    def credentials(self) -> Credentials:
        said = self.cleaned_data
        return keyed(said["api_key_header"], said["api_key"]) if said["api_key"] else bearer(said["token"])


class RegisterForm(CredentialsForm):
    workspace = forms.ModelChoiceField(Workspace.objects.none(), widget=UnfoldAdminSelectWidget())
    card_url = forms.CharField(
        label="Card",
        max_length=2048,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://agents.example.com"}),
        help_text="The address of its card, or the host alone.",
    )
    name = forms.CharField(
        required=False,
        max_length=128,
        widget=UnfoldAdminTextInputWidget(),
        help_text="What tasks call it (target_agent). Empty: made of the card's name.",
    )
    jwks_url = forms.CharField(
        label="Keys",
        required=False,
        max_length=2048,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Optional: the only place where the keys for its card's signature may come from.",
    )
    require_signature = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget())
    field_order = ("workspace", "card_url", "name", "token", "api_key", "api_key_header", "jwks_url")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_to = reach_of(kwargs["request"]).workspaces(Scope.ADMIN)
        field = self.fields["workspace"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = open_to
        if len(open_to) == 1:
            field.initial, field.widget = open_to[0].pk, forms.HiddenInput()


@admin.register(RemoteAgent)
class RemoteAgentAdmin(WorkspaceAdmin):
    list_display = ("name", "state", "speaks", "signature_label", "used", "trouble")
    search_fields = ("name", "card_url")
    list_filter = ("enabled", "signature")
    readonly_fields = (
        "name", "state", "trouble", "used", "about", "skill_list", "card_url", "endpoint_url", "speaks",
        "signature_label", "require_signature", "jwks_url", "credentials", "message_metadata", "fetched",
        "created_by", "made",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("name", "state", "trouble", "used")}),
        ("What its card says", {"fields": ("about", "skill_list", "endpoint_url", "speaks", "fetched")}),
        ("Trust", {"fields": ("card_url", "signature_label", "require_signature", "jwks_url", "credentials")}),
        ("Facts", {"fields": ("message_metadata", "created_by", "made")}),
    )
    actions_list = ("register",)
    actions_detail = ("refresh", "switch", "give_credentials", "remove")
    history = RemoteAgentHistory
    empty_hint = "Register an A2A agent that runs elsewhere, and tasks can name it as their target."

    @display(description="Status", ordering="enabled", label={"on": "success", "off": "warning"})
    def state(self, agent: RemoteAgent) -> str:
        return "on" if agent.enabled else "off"

    @display(description="Speaks")
    def speaks(self, agent: RemoteAgent) -> str:
        return f"A2A {agent.protocol_version} over {agent.binding}"

    @display(description="Signature", ordering="signature", label={"verified": "success", "invalid": "danger"})
    def signature_label(self, agent: RemoteAgent) -> str:
        return agent.signature

    @display(description="Last used", ordering="last_used_at", empty_value="never")
    def used(self, agent: RemoteAgent) -> SafeString | None:
        return moment(agent.last_used_at) if agent.last_used_at else None

    @display(description="Card fetched", empty_value="never")
    def fetched(self, agent: RemoteAgent) -> SafeString | None:
        return moment(agent.fetched_at) if agent.fetched_at else None

    @display(description="Last trouble", empty_value="—")
    def trouble(self, agent: RemoteAgent) -> str | None:
        return agent.last_error or None

    @display(description="Description", empty_value="—")
    def about(self, agent: RemoteAgent) -> str | None:
        return str(agent.card.get("description", "")) or None

    @display(description="Skills")
    def skill_list(self, agent: RemoteAgent) -> SafeString | str:
        return format_html_join("", "<div>{}</div>", ((skill["name"],) for skill in skills_of(agent.card))) or "—"

    @display(description="Credentials")
    def credentials(self, agent: RemoteAgent) -> str:
        if agent.auth == RemoteAgent.Auth.HEADER:
            return f"a key in the header {agent.auth_header}"
        return "a bearer token" if agent.auth == RemoteAgent.Auth.BEARER else "none"

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN, obj)

    @action(
        description="Register an agent",
        permissions=["manage"],
        icon="add_link",
        variant="primary",
        dialog={
            "title": "Register a remote agent",
            "description": "Its card is fetched and checked now.",
            "form_class": RegisterForm,
            "form_submit_text": "Register",
        },
    )
    def register(self, request: HttpRequest, form: RegisterForm) -> HttpResponse:
        said = form.cleaned_data
        new = NewRemoteAgent(
            card_url=said["card_url"],
            name=said["name"],
            credentials=form.credentials,
            require_signature=said["require_signature"],
            jwks_url=said["jwks_url"],
        )
        workspace_id, by = said["workspace"].pk, request.user.get_username()
        self.attempt(
            request, lambda: remote_agent_register(workspace_id=workspace_id, new=new, by=by), "It is registered."
        )
        return after_dialog(reverse(LIST))

    @action(
        description="Fetch the card",
        permissions=["manage"],
        icon="refresh",
        dialog={"title": "Fetch its card anew?", "form_class": DialogForm, "form_submit_text": "Fetch"},
    )
    def refresh(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.act_on(
            request,
            object_id,
            lambda agent: remote_agent_refresh(workspace_id=agent.workspace_id, name=agent.name),
            "The card is up to date.",
        )

    @action(
        description="Turn on or off",
        permissions=["manage"],
        icon="power_settings_new",
        dialog={
            "title": "Turn this agent on, or off?",
            "description": "While it is off, tasks that name it wait. Those that it works on come to their end.",
            "form_class": DialogForm,
            "form_submit_text": "Turn",
        },
    )
    def switch(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._change(request, object_id, lambda agent: RemoteAgentChange(enabled=not agent.enabled))

    @action(
        description="Credentials",
        permissions=["manage"],
        icon="key",
        dialog={
            "title": "Give other credentials",
            "description": "Empty: none any more.",
            "form_class": CredentialsForm,
            "form_submit_text": "Keep",
        },
    )
    def give_credentials(self, request: HttpRequest, form: CredentialsForm, object_id: str) -> HttpResponse:
        return self._change(request, object_id, lambda agent: RemoteAgentChange(credentials=form.credentials))

    @action(
        description="Remove",
        permissions=["manage"],
        icon="delete",
        variant="danger",
        dialog={
            "title": "Remove this agent?",
            "description": "Its secret is forgotten. Tasks that name it wait.",
            "form_class": DialogForm,
            "form_submit_text": "Remove",
        },
    )
    def remove(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.act_on(
            request,
            object_id,
            lambda agent: remote_agent_remove(workspace_id=agent.workspace_id, name=agent.name),
            "It is removed.",
        )

    def _change(
        self, request: HttpRequest, object_id: str, change: Callable[[RemoteAgent], RemoteAgentChange]
    ) -> HttpResponse:
        return self.act_on(
            request,
            object_id,
            lambda agent: remote_agent_change(workspace_id=agent.workspace_id, name=agent.name, change=change(agent)),
            "It is changed.",
        )
