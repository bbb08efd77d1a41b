"""Reading agents by role: what the workers of a workspace offer under each, and whether any of them is here."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from apps.workers.errors import no_such_role
from apps.workers.models import Worker
from apps.workers.selectors import connected_workers, workers_of


@dataclass(slots=True, kw_only=True)
class AgentRole:
    """A role, with all that its workers say of it. `skills` hold {id, name, description, tags, examples}."""

    role: str
    description: str = ""
    tags: list[str] = field(default_factory=list)
    skills: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    connected: bool = False


def connected_roles(workspace_id: uuid.UUID) -> list[AgentRole]:
    """The roles of connected workers, by name."""
    return _roles(connected_workers(workspace_id))


def remote_roles(workspace_id: uuid.UUID) -> list[str]:
    """The names of the remote agents that a connected bridge serves."""
    bridges = [worker for worker in connected_workers(workspace_id) if worker.is_bridge]
    return sorted({agent["role"] for bridge in bridges for agent in bridge.agents})


def role_get(workspace_id: uuid.UUID, role: str) -> AgentRole:
    """A role that a worker of the workspace has, or had when it was last here; NotFoundError where there is none.

    Those that are here speak for it.
    """
    known = list(workers_of(workspace_id).filter(agents__contains=[{"role": role}]))
    speaking = [worker for worker in known if worker.is_here] or known
    found = next((found for found in _roles(speaking) if found.role == role), None)
    if found is None:
        raise no_such_role()
    return found


def role_check(workspace_id: uuid.UUID, role: str) -> None:
    """NotFoundError unless a worker of the workspace has the role, or had it when it was last here."""
    if not Worker.objects.filter(workspace_id=workspace_id, agents__contains=[{"role": role}]).exists():
        raise no_such_role()


def _roles(workers: Iterable[Worker]) -> list[AgentRole]:
    """What several workers say of one role is put together, in the order of their names."""
    found: dict[str, AgentRole] = {}
    for worker in workers:
        for agent in worker.agents:
            one = found.setdefault(agent["role"], AgentRole(role=agent["role"]))
            one.connected = one.connected or worker.is_here
            one.description = one.description or agent.get("description", "")
            one.tags += [tag for tag in agent.get("tags", []) if tag not in one.tags]
            one.models += [model["id"] for model in worker.offered_models if model["id"] not in one.models]
            had = {skill["id"] for skill in one.skills}
            one.skills += [skill for skill in agent.get("skills", []) if skill["id"] not in had]
    return [found[role] for role in sorted(found)]
