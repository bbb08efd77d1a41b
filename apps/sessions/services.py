"""What changes sessions: the sync of workers, an upsert by the program's own ids. The same batch twice is once."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.sessions.models import AgentSession, SessionMessage
from apps.sessions.noting import note_messages
from apps.sessions.reading import SyncedMessage, SyncedSession

WRITTEN_OF_SESSION = [
    "title", "parent_id", "source", "agent", "model", "directory", "worker_id", "message_count", "usage",
    "created_at", "updated_at", "synced_at",
]  # fmt: skip
ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """A session as the task that is in it tells it."""

    session_id: str
    worker_id: str
    source: str = ""
    title: str = ""
    forked_from: str = ""


def session_opened(*, workspace_id: uuid.UUID, codebase_id: str, opened: OpenedSession) -> None:
    """Note a session that a task has opened, before its worker syncs it. What was known of it stays."""
    now = timezone.now()
    said = {name: value for name, value in asdict(opened).items() if name != "session_id" and value}
    session, is_new = AgentSession.objects.get_or_create(
        codebase_id=codebase_id,
        session_id=opened.session_id,
        defaults={**said, "workspace_id": workspace_id, "created_at": now, "updated_at": now},
    )
    missing = {name: value for name, value in said.items() if not getattr(session, name)}
    if missing and not is_new:
        AgentSession.objects.filter(pk=session.pk).update(**missing)


def sessions_sync(
    *, workspace_id: uuid.UUID, codebase_id: str, worker_id: str, sessions: Sequence[SyncedSession], source: str = ""
) -> int:
    """Note the sessions of a codebase as a worker has them; returns how many. The codebase has been checked."""
    now = timezone.now()
    rows = [
        AgentSession(
            workspace_id=workspace_id,
            codebase_id=codebase_id,
            session_id=session.session_id,
            title=session.title,
            parent_id=session.parent_id,
            source=source,
            agent=session.agent,
            model=session.model,
            directory=session.directory,
            worker_id=worker_id,
            message_count=session.message_count,
            usage=session.usage,
            created_at=session.created_at,
            updated_at=session.updated_at,
            synced_at=now,
        )
        for session in sessions
    ]
    AgentSession.objects.bulk_create(
        rows,
        batch_size=ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["codebase", "session_id"],
        update_fields=WRITTEN_OF_SESSION,
    )
    return len(rows)


def messages_sync(*, session: AgentSession, messages: Sequence[SyncedMessage]) -> int:
    """Note messages and their parts; a message that comes again replaces what it said before. Returns how many."""
    with transaction.atomic():
        written = note_messages(workspace_id=session.workspace_id, session_pk=session.pk, messages=messages)
        changes: dict[str, Any] = {"unsearched": True} if written else {}  # a job takes them into the search
        AgentSession.objects.filter(pk=session.pk).update(
            message_count=SessionMessage.objects.filter(session=session).count(), synced_at=timezone.now(), **changes
        )
    return len(messages)
