"""The bridge: a worker inside the server that takes the tasks of remote agents to them.

To the heart it is a worker like any other, but for tasks that ask for one of its agents by name only: it registers, so
that discovery, limits and the reasons why tasks wait are true; it claims, renews its leases, and hears of cancels and
messages with its heartbeat (at once, where a wake-up comes through). Several may run: a task is claimed by one.
"""

import asyncio
import logging
import socket
import uuid
from collections.abc import Mapping

from apps.core.db import in_database
from apps.federation.models import RemoteAgent
from apps.federation.patience import AWAY, until
from apps.federation.post import Post
from apps.federation.selectors import AgentsVersion, agents_to_serve, agents_version

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How soon a newly registered agent is served."""
LONGEST_NAME = 150


def bridge_id() -> str:
    """The worker id of this machine's bridge."""
    return f"a2a-bridge-{socket.gethostname()[:LONGEST_NAME]}"


class Bridge:
    """All workspaces that have enabled remote agents, each with a post of its own."""

    def __init__(self, worker_id: str = "") -> None:
        self.worker_id = worker_id or bridge_id()
        self._posts: dict[uuid.UUID, Post] = {}
        self._version: AgentsVersion | None = None
        self._wanted: Mapping[uuid.UUID, list[RemoteAgent]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then everything held is given back."""
        log.info("the bridge %s to remote agents runs", self.worker_id)
        try:
            while not stop.is_set():
                await self._look()
                await until(stop, LOOK_SECONDS)
        finally:
            await asyncio.gather(*(post.close() for post in self._posts.values()))

    async def _look(self) -> None:
        try:
            version = await in_database(agents_version)
            if version != self._version:
                self._wanted, self._version = await in_database(agents_to_serve), version
        except AWAY as error:
            log.warning("no look at the remote agents: %s", type(error).__name__)
            return
        for workspace_id in self._posts.keys() - self._wanted.keys():
            await self._posts.pop(workspace_id).close()
        for workspace_id, agents in self._wanted.items():
            if workspace_id not in self._posts:
                self._posts[workspace_id] = Post(workspace_id, self.worker_id)
            await self._posts[workspace_id].serve(agents)
