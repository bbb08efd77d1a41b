"""The bridge's open lines to remote agents."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from apps.federation.models import RemoteAgent
from apps.federation.remote import Remote


@dataclass(slots=True)
class Lines:
    """The clients to the agents of a workspace, each made anew when what is said of its agent changes."""

    _open: dict[tuple[uuid.UUID, datetime], Remote] = field(default_factory=dict)

    def to(self, agent: RemoteAgent) -> Remote:
        key = (agent.id, agent.updated_at)
        if key not in self._open:
            self._open[key] = Remote(agent)
        return self._open[key]

    async def close_others(self, agents: Sequence[RemoteAgent], used: Sequence[Remote]) -> None:
        """Close those that neither the agents as they are now nor running tasks need."""
        current = {(agent.id, agent.updated_at) for agent in agents}
        for key, remote in list(self._open.items()):
            if key not in current and remote not in used:
                del self._open[key]
                await remote.close()
