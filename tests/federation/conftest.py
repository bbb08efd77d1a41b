"""The scene of the tests of federation: a cousin (the SDK's server) elsewhere, and our bridge to it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from apps.core.db import in_database
from apps.core.wakeups import hub
from apps.federation.bridge import Bridge
from apps.federation.models import RemoteAgent
from apps.federation.services import NewRemoteAgent, remote_agent_register
from apps.tasks.log.reading import read
from apps.tasks.models import Task
from tests.factories import Cast
from tests.fakes.remote_agent import Cousin, Play

PATIENCE = 15.0
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]


async def until[T](look: Callable[[], Awaitable[T]], what: str) -> T:
    """The first truthy answer."""
    deadline = time.monotonic() + PATIENCE
    while not (found := await look()):
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}"
        await asyncio.sleep(0.02)
    return found


class Scene:
    """What a test does here, and sees."""

    def __init__(self, cast: Cast, stack: AsyncExitStack) -> None:
        self.cast = cast
        self._stack = stack
        self._bridges: list[tuple[Bridge, asyncio.Event, asyncio.Task[None]]] = []
        stack.push_async_callback(self.stop_bridges)

    async def cousin(self, plays: dict[str, Play], **more: Any) -> Cousin:
        """A remote agent that serves."""
        cousin = Cousin(plays, **more)
        await cousin.start()
        self._stack.push_async_callback(cousin.stop)
        return cousin

    async def register(self, cousin: Cousin, name: str = "cousin", **more: Any) -> RemoteAgent:
        new = NewRemoteAgent(card_url=cousin.card_url, name=name, **more)
        return await in_database(remote_agent_register, workspace_id=self.cast.workspace.id, new=new, by="ada")

    async def bridge(self, worker_id: str = "bridge-1") -> None:
        """Let a bridge run, until it is stopped or the test ends."""
        bridge, stop = Bridge(worker_id), asyncio.Event()
        self._bridges.append((bridge, stop, asyncio.create_task(bridge.run(stop))))

    async def stop_bridges(self) -> None:
        """As SIGTERM does."""
        while self._bridges:
            _, stop, running = self._bridges.pop()
            stop.set()
            await running

    async def kill_bridge(self) -> None:
        """As SIGKILL does: nothing is given back, and nobody says goodbye."""
        bridge, _, running = self._bridges.pop()
        running.cancel()
        posts = list(bridge._posts.values())
        bridge._posts.clear()
        doomed = [one for post in posts for one in (*post._loops, *(duty.running for duty in post._duties.values()))]
        for one in doomed:
            one.cancel()
        await asyncio.wait([running, *doomed])
        for post in posts:
            await post._lines.close_others([], [])

    async def task(self, prompt: str, target_agent: str = "cousin", **more: Any) -> Task:
        return await in_database(lambda: self.cast.task(prompt=prompt, target_agent=target_agent, **more))

    async def now(self, task: Task) -> Task:
        return await in_database(Task.objects.get, id=task.id)

    async def events(self, task: Task, *kinds: str) -> list[Json]:
        """The data of the task's events of these kinds."""
        lines = await in_database(read, task.id, 0)
        return [line.data for line in lines if line.kind in kinds]

    async def said(self, task: Task) -> str:
        """All that the agent said."""
        return "".join(data["content"] for data in await self.events(task, "output"))

    async def in_state(self, task: Task, *states: str) -> Task:
        """The task, as soon as it is in one of these states."""

        async def look() -> Task | None:
            found = await self.now(task)
            return found if found.state in states else None

        found = await until(look, f"the task is {' or '.join(states)}")
        assert found is not None
        return found

    async def ended(self, task: Task) -> Task:
        return await self.in_state(task, "completed", "failed", "cancelled", "rejected")


@pytest_asyncio.fixture
async def scene(transactional_db: None, cast: Cast) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        yield Scene(cast, stack)
    await hub().close()
