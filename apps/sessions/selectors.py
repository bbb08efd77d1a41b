"""Reading sessions; every query is bound to a workspace."""

import uuid
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from apps.core.errors import NotFoundError
from apps.sessions.models import AgentSession, SessionMessage, SessionPart


def sessions_of(workspace_id: uuid.UUID, codebase_id: str = "") -> QuerySet[AgentSession]:
    """A workspace's sessions (or one codebase's), last changed first, each with `forks`."""
    # the index of forks holds those alone, so the query has to say that it wants no others
    forked = AgentSession.objects.exclude(forked_from="")
    forks = forked.filter(codebase=OuterRef("codebase"), forked_from=OuterRef("session_id"))
    told: dict[str, Any] = {"forks": ArraySubquery(forks.order_by("created_at", "id").values("session_id"))}
    found = AgentSession.objects.filter(workspace_id=workspace_id).annotate(**told)
    return found.filter(codebase_id=codebase_id) if codebase_id else found


def session_get(*, workspace_id: uuid.UUID, codebase_id: str, session_id: str) -> AgentSession:
    """The session, or NotFoundError."""
    found = sessions_of(workspace_id, codebase_id).filter(session_id=session_id).first()
    if found is None:
        raise NotFoundError("There is no such session.", code="session_not_found")
    return found


def messages_of(session: AgentSession) -> QuerySet[SessionMessage]:
    """A session's messages in order, each with its parts at hand."""
    return SessionMessage.objects.filter(session=session).prefetch_related("parts")


def session_facts(session: AgentSession) -> dict[str, Any]:
    """A session as clients see it, in both spellings that they use for its times and count."""
    return {
        "id": session.session_id,
        "codebase_id": session.codebase_id,
        "title": session.title,
        "parent_id": session.parent_id or None,
        "forked_from": session.forked_from or None,
        "forks": session.forks,
        "source": session.source,
        "agent": session.agent,
        "model": session.model or None,
        "directory": session.directory,
        "worker_id": session.worker_id or None,
        "message_count": session.message_count,
        "messageCount": session.message_count,
        "usage": session.usage,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "created": session.created_at,
        "updated": session.updated_at,
    }


def message_facts(message: SessionMessage) -> dict[str, Any]:
    """A message with its parts."""
    return {
        "id": message.message_id,
        "role": message.role,
        "model": message.model or None,
        "content": message.text,
        "usage": message.usage,
        "info": message.data,
        "parts": [part_facts(part) for part in message.parts.all()],
        "created_at": message.created_at,
    }


def part_facts(part: SessionPart) -> dict[str, Any]:
    return {"id": part.part_id, "type": part.kind, **part.data}
