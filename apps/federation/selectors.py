"""Reading remote agents, and where our tasks are at them. Nothing here shows a secret."""

import uuid
from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.federation.cards import skills_of
from apps.federation.errors import RemoteAgentNotFoundError
from apps.federation.models import RemoteAgent, RemoteTask
from apps.tasks.selectors import tasks_of
from apps.tasks.states import State


def remote_agents_of(workspace_id: uuid.UUID) -> QuerySet[RemoteAgent]:
    """The remote agents of a workspace, by name."""
    return RemoteAgent.objects.filter(workspace_id=workspace_id).order_by("name")


def remote_agent_get(*, workspace_id: uuid.UUID, name: str) -> RemoteAgent:
    """The agent of that name, or RemoteAgentNotFoundError."""
    found = remote_agents_of(workspace_id).filter(name=name).first()
    if found is None:
        raise RemoteAgentNotFoundError("There is no such remote agent.")
    return found


def remote_agent_facts(agent: RemoteAgent) -> dict[str, Any]:
    """An agent as clients see it; its secret is nowhere."""
    return {
        "name": agent.name,
        "card_url": agent.card_url,
        "enabled": agent.enabled,
        "description": str(agent.card.get("description", "")),
        "version": str(agent.card.get("version", "")),
        "skills": skills_of(agent.card),
        "endpoint_url": agent.endpoint_url,
        "binding": agent.binding,
        "protocol_version": agent.protocol_version,
        "signature": agent.signature,
        "require_signature": agent.require_signature,
        "jwks_url": agent.jwks_url or None,
        "auth": agent.auth,
        "api_key_header": agent.auth_header or None,
        "metadata": agent.message_metadata,
        "card": agent.card,
        "fetched_at": agent.fetched_at,
        "last_used_at": agent.last_used_at,
        "last_error": agent.last_error or None,
        "created_by": agent.created_by,
        "created_at": agent.created_at,
    }


AgentsVersion = list[tuple[uuid.UUID, datetime]]


def agents_version() -> AgentsVersion:
    """Another one whenever `agents_to_serve` gives something else; cheap, since bridges ask all the time."""
    return list(RemoteAgent.objects.filter(enabled=True).order_by("id").values_list("id", "updated_at"))


def agents_to_serve() -> dict[uuid.UUID, list[RemoteAgent]]:
    """What bridges work for: the enabled agents of each workspace that has any."""
    found: dict[uuid.UUID, list[RemoteAgent]] = defaultdict(list)
    for agent in RemoteAgent.objects.filter(enabled=True).order_by("workspace_id", "name"):
        found[agent.workspace_id].append(agent)
    return found


def given_up(workspace_id: uuid.UUID) -> list[RemoteTask]:
    """Remote tasks that may still work although ours were cancelled, or failed for want of a connection."""
    open_ones = RemoteTask.objects.filter(workspace_id=workspace_id, is_open=True)
    ended = tasks_of(workspace_id).filter(
        id__in=[one.task_id for one in open_ones], state__in=[str(State.CANCELLED), str(State.FAILED)]
    )
    over = set(ended.values_list("id", flat=True))
    return [one for one in open_ones if one.task_id in over]
