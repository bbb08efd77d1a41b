"""A file that came with a message, or that an agent made; and its content, where that is kept in PostgreSQL."""

from django.db import models

from apps.accounts.models import Workspace
from apps.core.ids import new_id


class StoredFile(models.Model):
    """What is known of a file; its content is in the storage `files` under `storage_key`.

    The row comes before the content and goes after it, so no content is ever without a row. `task_id` is empty until
    what the file came with has been accepted; files that stay so are removed after a day.
    """

    class Origin(models.TextChoices):
        CLIENT = "client"
        WORKER = "worker"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="files")
    task_id = models.UUIDField(null=True, blank=True, db_index=True)
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=127)
    size = models.PositiveBigIntegerField(help_text="In bytes.")
    sha256 = models.CharField(max_length=64)
    origin = models.CharField(max_length=16, choices=Origin)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    storage_key = models.CharField(max_length=100)

    class Meta:
        ordering = ["created_at", "id"]
        verbose_name = "file"
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(task_id=None), name="file_attached_to_nothing"),
        ]

    def __str__(self) -> str:
        return self.name


class FileChunk(models.Model):
    """A piece of a file's content: a row of a megabyte or less, so that nobody has to hold a whole file."""

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    row_security_parent = "file"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="chunk_once_per_file")]

    def __str__(self) -> str:
        return f"{self.file_id}:{self.number}"
