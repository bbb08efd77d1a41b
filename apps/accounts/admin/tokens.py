"""The console's page of API tokens: made, rotated and revoked, never edited."""

from datetime import timedelta
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.admin.people import known_people
from apps.accounts.console import DialogForm, RowForm, WorkspaceAdmin, action, after_dialog, display, moment
from apps.accounts.models import ApiToken, ApiTokenHistory
from apps.accounts.permissions import Role, Scope
from apps.accounts.tokens import Rotation, token_create, token_revoke, token_rotate, token_status


class TokenForm(RowForm):
    """What a new token may do. Its secret is made, not given."""

    name = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="What will use it: a worker's machine, a CI job, a script.",
    )
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Narrows the role. Leave all empty for everything that the role allows.",
    )

    class Meta:
        model = ApiToken
        fields = ("name", "workspace", "role", "scopes", "codebases", "user", "expires_at")
        help_texts: ClassVar[dict[str, str]] = {
            "role": "viewer reads, operator steers, admin also manages access, worker does a worker's work.",
            "codebases": "Ids, with commas between them: a worker with this token serves these alone. Empty: all.",
            "user": "The token ends with this person's account. Leave empty for a program of its own.",
            "expires_at": "Leave empty for a token that lasts until it is revoked.",
        }

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is told at its field."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("codebases") and said.get("role") != Role.WORKER:
            self.add_error("codebases", "Only a worker's token is bound to codebases.")
        if said.get("expires_at") and said["expires_at"] <= timezone.now():
            self.add_error("expires_at", "Give a time to come.")
        return said


class RotationForm(DialogForm):
    overlap = forms.ChoiceField(
        label="The old secret works for another",
        choices=[("0", "0 seconds: it ends now"), ("3600", "hour"), ("86400", "day"), ("604800", "week")],
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(ApiToken)
class TokenAdmin(WorkspaceAdmin):
    """Tokens are made, rotated and revoked, never edited; the secret is in the one answer to its making."""

    view_scope = Scope.ADMIN
    add_scope = Scope.ADMIN
    form = TokenForm
    history = ApiTokenHistory
    fields = ("name", "workspace", "role", "scopes", "codebases", "user", "expires_at")
    readonly_fields = ("status", "secret_begins", "narrowed_to", "created_at", "last_used_at", "rotated_at", "made_by",
                       "previous_until")  # fmt: skip
    list_display = ("name", "secret_begins", "status", "role", "user", "used", "expires_at", "made")
    list_select_related = ("user", "workspace")
    list_filter = ("role",)
    search_fields = ("name", "hint")
    ordering = ("-created_at",)
    actions_detail = ("rotate", "revoke")
    empty_hint = "Make one for each program that calls the API, and one for each machine that runs a worker."

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        if obj is None:
            return self.fields
        return ("name", "status", "secret_begins", "workspace", "role", "narrowed_to", "codebases", "user", "made_by",
                "created_at", "last_used_at", "expires_at", "rotated_at", "previous_until", "revoked_at")  # fmt: skip

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = known_people(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description="Scopes")
    def narrowed_to(self, token: ApiToken) -> str:
        return ", ".join(token.scopes) or "all that its role allows"

    @display(description="Last used", ordering="last_used_at", empty_value="never")
    def used(self, token: ApiToken) -> SafeString | None:
        return moment(token.last_used_at) if token.last_used_at else None

    @display(description="Secret begins", empty_value="—")
    def secret_begins(self, token: ApiToken) -> str:
        return f"{token.hint}…"

    @display(description="Status", label={"valid": "success", "expired": "warning", "revoked": "danger"})
    def status(self, token: ApiToken) -> str:
        return token_status(token)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """One button: the answer must be the page that shows the secret."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        """`obj` becomes the row that the service made, and carries the secret to the answer, which alone shows it."""
        row, secret = token_create(
            workspace=obj.workspace,
            name=obj.name,
            role=Role(obj.role),
            user=obj.user,
            scopes=obj.scopes,
            codebases=obj.codebases,
            expires_at=obj.expires_at,
            made_by=request.user.get_username(),
        )
        obj.__dict__.update(row.__dict__)
        cast(Any, obj).shown_once = secret

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "API token made",
            "token": obj,
            "secret": cast(Any, obj).shown_once,
        }
        return TemplateResponse(request, "admin/accounts/apitoken/made.html", context)

    def has_rotate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN, obj)

    @action(
        description="Rotate",
        permissions=["rotate"],
        icon="autorenew",
        dialog={
            "title": "Give this token a new secret?",
            "description": "The new secret is shown once. Name, role and scopes stay.",
            "form_class": RotationForm,
            "form_submit_text": "Rotate",
        },
    )
    def rotate(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        token = self.get_object(request, object_id)
        secrets: list[str] = []
        wanted = Rotation(timedelta(seconds=int(form.cleaned_data["overlap"])))
        if token is not None:
            self.attempt(request, lambda: secrets.append(token_rotate(token=token, rotation=wanted)[1]), "Rotated.")
        if token is None or not secrets:
            return after_dialog(reverse("admin:accounts_apitoken_changelist"))
        template = "admin/accounts/apitoken/rotated.html"
        answer = TemplateResponse(request, template, {"token": token, "secret": secrets[0]})
        answer["HX-Retarget"] = answer["HX-Reselect"] = "#dialog"  # its button would rotate once more
        return answer

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN, obj)

    @action(
        description="Revoke",
        permissions=["revoke"],
        variant="danger",
        icon="block",
        dialog={
            "title": "Revoke this token?",
            "description": "Programs that use it are refused from now on. This cannot be taken back.",
            "form_class": DialogForm,
            "form_submit_text": "Revoke",
        },
    )
    def revoke(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        token = self.get_object(request, object_id)
        if token is not None:
            self.attempt(request, lambda: token_revoke(token=token), f"“{token.name}” is revoked.")
        return after_dialog(reverse("admin:accounts_apitoken_changelist"))
