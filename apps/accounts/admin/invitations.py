"""The console's page of invitations: made and taken back, never edited; the secret is in the one answer."""

from datetime import timedelta
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.console import DialogForm, RowForm, WorkspaceAdmin, action, after_dialog, display
from apps.accounts.invitations import invitation_create, invitation_revoke, invitation_status
from apps.accounts.models import Invitation
from apps.accounts.permissions import Role, Scope

LIST = "admin:accounts_invitation_changelist"


class InvitationForm(RowForm):
    days = forms.TypedChoiceField(
        label="Stands for",
        coerce=int,
        choices=[(1, "a day"), (7, "a week"), (30, "a month")],
        initial=7,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = Invitation
        fields = ("workspace", "role", "email")
        help_texts: ClassVar[dict[str, str]] = {"email": "A note for this list; nothing is sent."}


@admin.register(Invitation)
class InvitationAdmin(WorkspaceAdmin):
    view_scope = Scope.ADMIN
    add_scope = Scope.ADMIN
    form = InvitationForm
    fields = ("workspace", "role", "email", "days")
    readonly_fields = ("status", "made_by", "created_at", "expires_at", "accepted_at", "accepted_by", "revoked_at")
    list_display = ("email", "role", "status", "made_by", "expires_at", "accepted_by", "made")
    list_select_related = ("workspace", "accepted_by")
    list_filter = ("role",)
    search_fields = ("email", "made_by")
    ordering = ("-created_at",)
    actions_detail = ("revoke",)
    empty_hint = "Invite people: whoever accepts becomes a member, with an account of theirs or a new one."

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return self.fields if obj is None else ("email", "workspace", "role", *self.readonly_fields)

    @display(description="Status", label={"open": "info", "accepted": "success", "expired": "warning"})
    def status(self, invitation: Invitation) -> str:
        return invitation_status(invitation)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        """`obj` becomes the row that the service made, and carries the secret to the answer, which alone shows it."""
        row, secret = invitation_create(
            workspace_id=obj.workspace_id,
            role=Role(obj.role),
            email=obj.email,
            lasts=timedelta(days=form.cleaned_data["days"]),
            made_by=request.user.get_username(),
        )
        obj.__dict__.update(row.__dict__)
        cast(Any, obj).shown_once = secret

    def response_add(self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Invitation made",
            "invitation": obj,
            "secret": cast(Any, obj).shown_once,
        }
        return TemplateResponse(request, "admin/accounts/invitation/made.html", context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """One button: the answer must be the page that shows the secret."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.ADMIN, obj)

    @action(
        description="Take back",
        permissions=["revoke"],
        variant="danger",
        icon="block",
        dialog={
            "title": "Take this invitation back?",
            "description": "Its secret makes nobody a member from now on.",
            "form_class": DialogForm,
            "form_submit_text": "Take back",
        },
    )
    def revoke(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        invitation = self.get_object(request, object_id)
        if invitation is not None:
            self.attempt(request, lambda: invitation_revoke(invitation=invitation), "The invitation is taken back.")
        return after_dialog(reverse(LIST))
