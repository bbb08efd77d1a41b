"""Logins of people: of programs that act for them (`/v1/auth/login`), and of browsers that came by the provider."""

from django.db import models

from apps.core.ids import new_id


class LoginSession(models.Model):
    """A login that lasts. Of its secrets only SHA-256s are kept; the tokens are replaced at each refresh."""

    class Kind(models.TextChoices):
        API = "api"
        BROWSER = "browser"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="logins")
    identity = models.ForeignKey("accounts.OidcIdentity", on_delete=models.CASCADE, null=True, related_name="logins")
    sid = models.CharField(max_length=255, blank=True, help_text="The session's id at the provider.")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    session_key = models.CharField(max_length=40, null=True, unique=True, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, null=True, related_name="+")
    access_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    access_expires_at = models.DateTimeField(null=True)
    refresh_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    refresh_expires_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(help_text="No refresh leads beyond this.")
    password_mark = models.CharField(max_length=64, blank=True, editable=False)
    client = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["sid"], name="login_by_sid"),
            models.Index(fields=["expires_at"], name="login_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} login of {self.user_id}"


class SpentRefresh(models.Model):
    """A refresh token that has been used. Whoever brings it again has a copy: then the whole login ends."""

    digest = models.CharField(max_length=64, primary_key=True)
    login = models.ForeignKey(LoginSession, on_delete=models.CASCADE, related_name="spent")

    def __str__(self) -> str:
        return str(self.login_id)
