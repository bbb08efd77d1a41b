"""The console's pages of people and programs: users, workspaces, memberships, API tokens."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from apps.accounts.console import DialogForm, PlainAdmin, RowForm, WorkspaceAdmin, action, after_dialog, display, moment
from apps.accounts.models import ApiToken, Membership, User, Workspace
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import forget_tokens
from apps.accounts.reach import reach_of
from apps.accounts.services import token_create, token_revoke

if TYPE_CHECKING:
    PeopleAdmin = auth_admin.UserAdmin[User]
else:
    PeopleAdmin = auth_admin.UserAdmin

admin.site.unregister(Group)  # what people may do stands in their memberships


@admin.register(User)
class UserAdmin(PeopleAdmin, PlainAdmin):
    """People of all workspaces, so for superusers only; a workspace's admins work with memberships."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),
        ("Access", {"fields": ("is_staff", "is_superuser")}),
    )

    @display(description="Name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or "—"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: people are made inactive, because what they did still names them."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Whoever is made inactive loses their tokens now, not when the remembered lookups end."""
        super().save_model(request, obj, form, change)
        forget_tokens()

    def _is_superuser(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)


@admin.register(Workspace)
class TenantAdmin(WorkspaceAdmin):
    workspace_attr = "pk"
    view_scope = Scope.ADMIN
    change_scope = Scope.ADMIN
    list_display = ("name", "slug", "members", "made")
    fields = ("name", "slug", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).everything

    def get_readonly_fields(self, request: HttpRequest, obj: Workspace | None = None) -> tuple[str, ...]:
        return ("slug", "created_at") if obj else ("created_at",)

    @display(description="Members")
    def members(self, workspace: Workspace) -> int:
        return workspace.memberships.count()


@admin.register(Membership)
class MembershipAdmin(WorkspaceAdmin):
    view_scope = Scope.ADMIN
    add_scope = change_scope = delete_scope = Scope.ADMIN
    list_display = ("user", "role_label", "made")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    search_fields = ("user__username", "user__email")
    fields = ("user", "workspace", "role")
    empty_hint = "Add a person, and say by a role what they may do."

    @display(description="Role", ordering="role", label={"admin": "warning", "operator": "info"})
    def role_label(self, membership: Membership) -> str:
        return membership.role

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("user", "workspace") if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = known_people(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def known_people(request: HttpRequest) -> QuerySet[User]:
    """All people for a superuser; else those who share a workspace with the person."""
    if reach_of(request).everything:
        return User.objects.order_by("username")
    shared = Membership.objects.filter(workspace__in=reach_of(request).workspaces(Scope.ADMIN))
    return User.objects.filter(pk__in=shared.values("user")).order_by("username")


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
        fields = ("name", "workspace", "role", "scopes", "user", "expires_at")
        help_texts: ClassVar[dict[str, str]] = {
            "role": "viewer reads, operator steers, admin also manages access, worker does a worker's work.",
            "user": "The token ends with this person's account. Leave empty for a program of its own.",
            "expires_at": "Leave empty for a token that lasts until it is revoked.",
        }


@admin.register(ApiToken)
class TokenAdmin(WorkspaceAdmin):
    """Tokens are made and revoked, never edited; the secret is in the one answer to its making."""

    view_scope = Scope.ADMIN
    add_scope = Scope.ADMIN
    form = TokenForm
    fields = ("name", "workspace", "role", "scopes", "user", "expires_at")
    readonly_fields = ("status", "secret_begins", "narrowed_to", "created_at", "last_used_at")
    list_display = ("name", "secret_begins", "status", "role", "user", "used", "expires_at", "made")
    list_select_related = ("user", "workspace")
    list_filter = ("role",)
    search_fields = ("name", "hint")
    ordering = ("-created_at",)
    actions_detail = ("revoke",)
    empty_hint = "Make one for each program that calls the API, and one for each machine that runs a worker."

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        if obj is None:
            return self.fields
        return ("name", "status", "secret_begins", "workspace", "role", "narrowed_to", "user", "created_at",
                "last_used_at", "expires_at", "revoked_at")  # fmt: skip

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
        if token.revoked_at:
            return "revoked"
        return "expired" if token.expires_at and token.expires_at <= timezone.now() else "valid"

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
            expires_at=obj.expires_at,
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
