"""Conversations of agent programs, as workers sync them: a session, its messages, their parts.

Ids are the program's own (`ses_…`, a UUID); ours beside them keep two workspaces apart that hold the same one.
"""

from collections.abc import Sequence

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Workspace
from apps.core.ids import new_id

SEARCH_LANGUAGE = "english"
"""How words are cut to their stems, in texts and questions alike. Words of other languages are found as they stand."""


class AgentSession(models.Model):
    """One conversation. `source` is the program that keeps it, `worker_id` the machine on which it can be resumed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # the indexes below begin with these two: one more of each alone would only cost
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="agent_sessions", db_index=False)
    codebase = models.ForeignKey(
        "codebases.Codebase", on_delete=models.CASCADE, related_name="agent_sessions", db_index=False
    )
    session_id = models.TextField()
    parent_id = models.TextField(blank=True, default="")
    forked_from = models.TextField(
        blank=True, default="", db_default="", help_text="The session with whose history it began, by a task's wish."
    )
    title = models.TextField(blank=True, default="")
    source = models.TextField(blank=True, default="")
    agent = models.TextField(blank=True, default="")
    model = models.TextField(blank=True, default="")
    directory = models.TextField(blank=True, default="")
    worker_id = models.TextField(blank=True, default="")
    message_count = models.PositiveIntegerField(default=0)
    usage = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    synced_at = models.DateTimeField(db_default=Now())
    unsearched = models.BooleanField(
        default=True, db_default=True, help_text="Messages have come since the search last took it in."
    )

    forks: Sequence[str]
    """Not a column: the sessions that were forked from it, where the query asked (selectors.sessions_of)."""

    class Meta:
        verbose_name = "session"
        ordering = ["-updated_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["codebase", "session_id"], name="session_once_per_codebase")]
        indexes = [
            models.Index(fields=["workspace", "-updated_at"], name="session_newest"),
            models.Index(fields=["-updated_at", "-id"], include=["workspace"], name="session_newest_of_all"),
            models.Index(fields=["codebase", "-updated_at"], name="session_of_codebase"),
            models.Index(fields=["source", "-updated_at", "-id"], include=["workspace"], name="session_of_program"),
            models.Index(fields=["worker_id", "-updated_at", "-id"], include=["workspace"], name="session_of_worker"),
            models.Index(fields=["session_id"], name="session_by_its_id"),
            models.Index(fields=["codebase", "forked_from"], condition=~Q(forked_from=""), name="session_forks"),
            models.Index(fields=["synced_at"], condition=Q(unsearched=True), name="session_unsearched"),
            GinIndex(SearchVector("title", config=SEARCH_LANGUAGE), name="session_title_words"),
        ]

    def __str__(self) -> str:
        return self.title or self.session_id


class SessionMessage(models.Model):
    """One message. `text` is what people read of it; `data` all else that the program said of it.

    `digest` is of all that was synced of it, parts included; without one nothing is known to be the same.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, related_name="messages", db_index=False)
    message_id = models.TextField()
    role = models.TextField()
    model = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    usage = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    digest = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering = ["created_at", "message_id"]
        constraints = [models.UniqueConstraint(fields=["session", "message_id"], name="message_once_per_session")]
        indexes = [models.Index(fields=["session", "created_at"], name="message_in_order")]

    def __str__(self) -> str:
        return self.message_id


class SessionPart(models.Model):
    """One part of a message, in order: text, reasoning, a tool's call and result, a patch."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    message = models.ForeignKey(
        SessionMessage, on_delete=models.CASCADE, related_name="parts", db_index=False, db_constraint=False
    )
    part_id = models.TextField()
    index = models.PositiveIntegerField()
    kind = models.TextField()
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["message", "index"]
        constraints = [models.UniqueConstraint(fields=["message", "part_id"], name="part_once_per_message")]

    def __str__(self) -> str:
        return f"{self.kind} {self.part_id}"


class SearchEntry(models.Model):
    """What the search knows of a message, written by a job after the sync, which it would slow down (search.py).

    `digest` is that of the message when it was taken in.
    """

    message = models.OneToOneField(SessionMessage, on_delete=models.CASCADE, primary_key=True, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    digest = models.TextField(blank=True, default="")
    words = SearchVectorField()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="search_newest"),
            models.Index(fields=["session"], name="search_of_session"),
            GinIndex(fields=["words"], name="search_words"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)
