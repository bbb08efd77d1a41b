"""The console's pages of people: users, workspaces, memberships."""

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts.console import PlainAdmin, RowForm, WorkspaceAdmin, display
from apps.accounts.console_history import Historied
from apps.accounts.console_log import Logged
from apps.accounts.members import is_last_admin, member_add, member_remove, member_set_role
from apps.accounts.models import (
    Membership,
    MembershipHistory,
    User,
    UserHistory,
    Workspace,
    WorkspaceHistory,
)
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import access_changed
from apps.accounts.reach import reach_of
from apps.accounts.refusals import home_of
from apps.audit.history import deed

if TYPE_CHECKING:
    PeopleAdmin = auth_admin.UserAdmin[User]
else:
    PeopleAdmin = auth_admin.UserAdmin

admin.site.unregister(Group)  # what people may do stands in their memberships


@admin.register(User)
class UserAdmin(Historied, Logged, PeopleAdmin, PlainAdmin):
    """People of all workspaces, so for superusers only; a workspace's admins work with memberships."""

    history = UserHistory
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

    def trail(self, obj: User) -> uuid.UUID | None:
        return home_of(obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Django's own, as one transaction with what the trail tells of it."""
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

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
        with deed(request.user.get_username()):
            super().save_model(request, obj, form, change)
        access_changed()

    def _is_superuser(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)


@admin.register(Workspace)
class TenantAdmin(WorkspaceAdmin):
    workspace_attr = "pk"
    view_scope = Scope.ADMIN
    change_scope = Scope.ADMIN
    list_display = ("name", "slug", "members", "made")
    fields = ("name", "slug", "created_at")
    history = WorkspaceHistory
    empty_hint = "A superuser adds workspaces; their members are added under Members."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).everything

    def get_readonly_fields(self, request: HttpRequest, obj: Workspace | None = None) -> tuple[str, ...]:
        return ("slug", "created_at") if obj else ("created_at",)

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        with deed(request.user.get_username()):
            super().save_model(request, obj, form, change)

    @display(description="Members")
    def members(self, workspace: Workspace) -> int:
        return workspace.memberships.count()


class MemberForm(RowForm):
    def clean_role(self) -> str:
        """What the service would refuse is told at its field."""
        role: str = self.cleaned_data["role"]
        if self.instance.pk and role != Role.ADMIN and is_last_admin(self.instance):
            raise forms.ValidationError("A workspace keeps an admin: make somebody else one first.")
        return role


@admin.register(Membership)
class MembershipAdmin(WorkspaceAdmin):
    view_scope = Scope.ADMIN
    add_scope = change_scope = delete_scope = Scope.ADMIN
    list_display = ("user", "role_label", "made")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    search_fields = ("user__username", "user__email")
    fields = ("user", "workspace", "role")
    form = MemberForm
    history = MembershipHistory
    empty_hint = "Add a person, and say by a role what they may do; people who have no account are invited."

    @display(description="Role", ordering="role", label={"admin": "warning", "operator": "info"})
    def role_label(self, membership: Membership) -> str:
        return membership.role

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not of the last admin; the list deletes nobody, so that each is asked for."""
        if isinstance(obj, Membership) and is_last_admin(obj):
            return False
        return super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        if change:
            member_set_role(member=obj, role=Role(obj.role))
        else:
            added = member_add(workspace_id=obj.workspace_id, user=obj.user, role=Role(obj.role))
            obj.__dict__.update(added.__dict__)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        member_remove(member=obj)

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
