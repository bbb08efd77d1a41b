"""What a person keeps for themself in the console."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from apps.core.ids import new_id

NAME_LENGTH = 60
PATH_LENGTH = 2_000


class SavedLink(models.Model):
    """A list under a name: of one person, and of no workspace. Whoever opens it sees there what they may see."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_links", db_index=False
    )
    name = models.CharField(max_length=NAME_LENGTH)
    path = models.CharField(max_length=PATH_LENGTH, help_text="Path and query of one of the console's lists.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_link_name_once")]

    def __str__(self) -> str:
        return self.name
