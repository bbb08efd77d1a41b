"""Reading sessions; every query is bound to a workspace."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import FloatField, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from apps.core.errors import NotFoundError
from apps.sessions.models import AgentSession, SessionMessage, SessionPart

READ_AT_ONCE = 200
COST = "cost_usd"
USED = ("input_tokens", "output_tokens", "cached_input_tokens", COST)


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


def session_key(codebase_id: str | None, session_id: str) -> uuid.UUID | None:
    """The key of a session by its own id, if it is known; a task may be in one that is not, or in none."""
    if not (codebase_id and session_id):
        return None
    found = AgentSession.objects.filter(codebase_id=codebase_id, session_id=session_id)
    return found.values_list("pk", flat=True).first()


def messages_of(session: AgentSession) -> QuerySet[SessionMessage]:
    """A session's messages in order, each with its parts at hand."""
    return SessionMessage.objects.filter(session=session).prefetch_related("parts")


def messages_count(session: AgentSession) -> int:
    """How many messages are stored; the program may have more."""
    return SessionMessage.objects.filter(session=session).count()


def messages_between(session: AgentSession, after: int, upto: int) -> list[SessionMessage]:
    """The messages at the places `after` + 1 to `upto`, counted from 1 in their order."""
    return list(messages_of(session)[after:upto])


def messages_in_order(session: AgentSession) -> Iterator[list[SessionMessage]]:
    """All messages, READ_AT_ONCE at a time."""
    rest = messages_of(session)
    while page := list(rest[:READ_AT_ONCE]):
        yield page
        at, key = page[-1].created_at, page[-1].message_id
        rest = messages_of(session).filter(created_at__gte=at).exclude(created_at=at, message_id__lte=key)


def place_of(session: AgentSession, message_id: str) -> int:
    """The place of a message in its session, from 1; 0 where there is none of that id."""
    messages = SessionMessage.objects.filter(session=session)
    at = messages.filter(message_id=message_id).values_list("created_at", flat=True).first()
    if at is None:
        return 0
    return messages.filter(Q(created_at__lt=at) | Q(created_at=at, message_id__lt=message_id)).count() + 1


def usage_of(session: AgentSession) -> dict[str, Any]:
    """What a session has used: as its program tells it, else the sum of what it tells of its messages."""
    told: dict[str, Any] = session.usage
    if told:
        return told
    sums = {name: Sum(Cast(KeyTextTransform(name, "usage"), FloatField())) for name in USED}
    found = SessionMessage.objects.filter(session=session).aggregate(**sums)
    return {name: value if name == COST else int(value) for name, value in found.items() if value}


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
