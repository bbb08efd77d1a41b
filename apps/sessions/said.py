"""What was said in all sessions of a workspace, newest first: what the search has taken in (search.py)."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from apps.sessions.models import AgentSession, SearchEntry


@dataclass(frozen=True, slots=True)
class Said:
    """Where a page begins: after the message of this time and key."""

    at: datetime
    key: uuid.UUID


def messages_said(
    workspace_id: uuid.UUID, *, conversation_id: str = "", agents: Collection[str] = ()
) -> QuerySet[SearchEntry]:
    """Entries with their messages and sessions at hand; of one session, or of agents (names, or workers' ids)."""
    found = SearchEntry.objects.filter(workspace_id=workspace_id).select_related("message", "session").defer("words")
    if conversation_id:
        named = AgentSession.objects.filter(workspace_id=workspace_id, session_id=conversation_id)
        found = found.filter(session_id__in=list(named.values_list("pk", flat=True)))
    if agents:
        found = found.filter(Q(session__worker_id__in=agents) | Q(session__agent__in=agents))
    return found.order_by("-created_at", "-message_id")


def messages_after(workspace_id: uuid.UUID, after: Said | None, limit: int) -> list[SearchEntry]:
    """The next `limit` of all of them."""
    found = messages_said(workspace_id)
    if after is not None:
        found = found.filter(created_at__lte=after.at).exclude(created_at=after.at, message_id__gte=after.key)
    return list(found[:limit])


def messages_named(workspace_id: uuid.UUID, keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, SearchEntry]:
    """Those with these keys."""
    return {entry.pk: entry for entry in messages_said(workspace_id).filter(pk__in=list(keys))}


def messages_count(workspace_id: uuid.UUID) -> int:
    return SearchEntry.objects.filter(workspace_id=workspace_id).count()


def said_facts(entry: SearchEntry) -> dict[str, Any]:
    """A message with where it was said."""
    message, session = entry.message, entry.session
    return {
        "id": message.message_id,
        "conversation_id": session.session_id,
        "agent_id": session.worker_id or None,
        "agent_name": session.agent or session.source,
        "codebase_id": session.codebase_id,
        "title": session.title,
        "role": message.role,
        "content": message.text,
        "model": message.model or None,
        "usage": message.usage,
        "created_at": message.created_at,
        "timestamp": message.created_at,
    }
