"""Who there is: people, workspaces (tenants), who may do what in which, and the tokens of programs."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.accounts.login_models import LoginSession, SpentRefresh
from apps.accounts.oidc_models import OidcIdentity, OidcLogout, OidcMembership
from apps.accounts.permissions import Role
from apps.accounts.saved_models import SavedLink
from apps.audit.history import history_of
from apps.core.ids import new_id

__all__ = [
    "ApiToken",
    "IdempotentResponse",
    "LoginSession",
    "Membership",
    "OidcIdentity",
    "OidcLogout",
    "OidcMembership",
    "SavedLink",
    "SpentRefresh",
    "User",
    "Workspace",
]

ROLE_CHOICES = [(role.value, role.value) for role in Role]


class User(AbstractUser):  # type: ignore[django-manager-missing]  # its history is asked by its own model
    """A person. What they may do in a workspace is in their memberships; `is_staff` opens the admin."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)


class Workspace(models.Model):  # type: ignore[django-manager-missing]  # its history is asked by its own model
    """The tenant: everything belongs to exactly one. A single team never meets any but the default one."""

    DEFAULT_SLUG = "default"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):  # type: ignore[django-manager-missing]  # its history is asked by its own model
    """A person's role in a workspace."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=ROLE_CHOICES, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}: {self.role}"


class ApiToken(models.Model):  # type: ignore[django-manager-missing]  # its history is asked by its own model
    """A program's credential. Only the SHA-256 of the secret is kept; the secret is shown once, when it is made.

    Rotating replaces the secret; the one before counts until `previous_until`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="tokens")
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=16, choices=ROLE_CHOICES, default=Role.OPERATOR)
    scopes = models.JSONField(default=list, blank=True, help_text="Narrows the role; empty means all that it allows.")
    codebases = ArrayField(
        models.TextField(),
        default=list,
        db_default=[],
        blank=True,
        help_text="Of a worker's token: the only codebases that its worker may serve; empty means all.",
    )
    hint = models.CharField(max_length=12, help_text="How the secret begins, to recognise it by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    previous_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001 (unique)
    previous_until = models.DateTimeField(null=True, editable=False)
    made_by = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    owners_role: str
    """Not a column: its person's role in its workspace, where the query asked (principals)."""

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


_KeptOfMembership: Any = history_of(Membership, "id", "workspace", "user", "role")
_KeptOfToken: Any = history_of(
    ApiToken, "id", "workspace", "user", "name", "role", "scopes", "codebases", "made_by", "rotated_at", "expires_at",
    "revoked_at",
)  # fmt: skip

_KeptOfUser: Any = history_of(
    User, "id", "username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser"
)
_KeptOfWorkspace: Any = history_of(Workspace, "id", "slug", "name")


class MembershipHistory(_KeptOfMembership):  # type: ignore[misc]
    """What memberships were."""

    append_only = True


class ApiTokenHistory(_KeptOfToken):  # type: ignore[misc]
    """What tokens were, without anything that their secrets could be known by."""

    append_only = True


class UserHistory(_KeptOfUser):  # type: ignore[misc]
    """What people's accounts were, without their passwords."""

    append_only = True


class WorkspaceHistory(_KeptOfWorkspace):  # type: ignore[misc]
    """What workspaces were called."""

    append_only = True


class Invitation(models.Model):
    """The offer of a membership, to whoever shows its secret. Only the secret's SHA-256 is kept; it is shown once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=ROLE_CHOICES, default=Role.VIEWER)
    email = models.EmailField(blank=True, default="", help_text="Whom it is for; a note for who looks at the list.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, editable=False, related_name="invitations"
    )

    def __str__(self) -> str:
        return f"{self.email or 'somebody'} to {self.workspace} as {self.role}"


class IdempotentResponse(models.Model):
    """The answer given to a POST with an `Idempotency-Key`, so that the same call again gives the same answer."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
