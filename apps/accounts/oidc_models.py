"""Who is who at the identity provider, what the provider gave them here, and which logins are over there."""

from django.db import models

from apps.core.ids import new_id


class OidcIdentity(models.Model):
    """A person as a provider knows them. Nothing but the pair (issuer, subject) says who it is, no e-mail either."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    gave_staff = models.BooleanField(default=False, help_text="The user is staff because the provider says so.")
    gave_superuser = models.BooleanField(default=False, help_text="The same for superuser.")
    created_at = models.DateTimeField(auto_now_add=True)
    signed_in_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True, help_text="When the newest token was issued that said what they may do.")

    class Meta:
        verbose_name = "identity"
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class OidcMembership(models.Model):
    """Marks a membership that the provider's roles made: they change and end it; those made by hand they leave."""

    membership = models.OneToOneField(
        "accounts.Membership", on_delete=models.CASCADE, primary_key=True, related_name="by_oidc"
    )
    identity = models.ForeignKey(OidcIdentity, on_delete=models.CASCADE, related_name="made")

    def __str__(self) -> str:
        return str(self.membership_id)


class OidcLogout(models.Model):
    """A logout that the provider told us of. Its `jti` is taken once; tokens from before it count no more."""

    issuer = models.CharField(max_length=500)
    jti = models.CharField(max_length=255)
    subject = models.CharField(max_length=255, blank=True)
    sid = models.CharField(max_length=255, blank=True)
    issued_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "jti"], name="logout_token_once")]
        indexes = [
            models.Index(fields=["subject"], name="logout_by_subject"),
            models.Index(fields=["sid"], name="logout_by_sid"),
        ]

    def __str__(self) -> str:
        return self.jti
