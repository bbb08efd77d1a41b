"""The bridge in one workspace: it registers there, claims, renews its leases, and gives everything back."""

import asyncio
import logging
import socket
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.core.db import in_database
from apps.core.errors import CodeTetherError
from apps.core.wakeups import hub
from apps.federation.delegation import Delegation
from apps.federation.holding import Holding
from apps.federation.lines import Lines
from apps.federation.models import RemoteAgent
from apps.federation.patience import AWAY, hinted, riding_out
from apps.federation.remote import Remote
from apps.federation.services import remote_agent_failed
from apps.federation.tidying import tidy_for_ever
from apps.tasks.selectors import GLOBAL_QUEUE, steering_after
from apps.tasks.services import Claim, task_claim, task_snooze
from apps.workers.errors import WorkerNotFoundError
from apps.workers.reading import skills_said
from apps.workers.selectors import claimer_get
from apps.workers.services import (
    Heartbeat,
    HeldClaim,
    Registration,
    steering_message,
    worker_heartbeat,
    worker_register,
    worker_unregister,
)

if TYPE_CHECKING:
    from apps.tasks.models import Task

log = logging.getLogger(__name__)

CONCURRENCY = 50
"""Tasks that one bridge works on at once in each workspace."""
POLL_SECONDS = 5.0
HEARTBEATS_PER_LEASE = 4
GONE_SECONDS = 5.0
"""How soon a task whose agent has just gone is looked at again."""
UNUSABLE_SECONDS = 60.0


@dataclass(slots=True)
class Duty:
    """A task that is worked on."""

    delegation: Delegation
    running: asyncio.Task[None]


class Post:
    """The bridge in one workspace. `given_up` is set when a remote task may have to be cancelled."""

    def __init__(self, workspace_id: uuid.UUID, worker_id: str) -> None:
        self.workspace_id = workspace_id
        self.worker_id = worker_id
        self._agents: list[RemoteAgent] = []
        self._registered: list[dict[str, Any]] | None = None
        self._lines = Lines()
        self._duties: dict[uuid.UUID, Duty] = {}
        self._taking: asyncio.Future[list[Task]] | None = None
        self._room = asyncio.Event()
        self.given_up = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []

    async def serve(self, agents: list[RemoteAgent]) -> None:
        """Work for these agents from now on."""
        self._agents = agents
        await self._lines.close_others(agents, [duty.delegation.remote for duty in self._duties.values()])
        try:
            await self._register()
        except AWAY as error:
            log.warning("the bridge could not register: %s", type(error).__name__)
            return
        if not self._loops:
            self._loops = [
                self._loop(work) for work in (self._claim_for_ever(), self._beat_for_ever(), tidy_for_ever(self))
            ]

    def _loop(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=f"bridge of {self.workspace_id}")

    async def _register(self, *, again: bool = False) -> None:
        said = [
            {
                "role": agent.name,
                "instance": f"{agent.name}:{self.worker_id}",
                "description": str(agent.card.get("description", ""))[:2000],
                "skills": skills_said(agent.card.get("skills")),
            }
            for agent in self._agents
        ]
        if said == self._registered and not again:
            return
        registration = Registration(
            worker_id=self.worker_id,
            name="A2A bridge",
            hostname=socket.gethostname()[:255],
            version=settings.VERSION,
            agents=said,
            global_codebase_id=GLOBAL_QUEUE,
            concurrency=CONCURRENCY,
            only_targeted=True,
        )
        await in_database(worker_register, workspace_id=self.workspace_id, registration=registration)
        self._registered = said
        self._room.set()

    def line_to(self, agent_name: str) -> Remote | None:
        """The line to an agent; None where it is gone or turned off."""
        agent = next((one for one in self._agents if one.name == agent_name), None)
        return self._lines.to(agent) if agent else None

    def works_on(self, task_id: uuid.UUID) -> bool:
        return task_id in self._duties

    async def close(self) -> None:
        """Take nothing more, give back what is held, and say goodbye."""
        for loop in self._loops:
            loop.cancel()
        for duty in self._duties.values():
            duty.running.cancel()
        ending = [*self._loops, *(duty.running for duty in self._duties.values())]
        if ending:
            await asyncio.wait(ending)
        given_back = [duty.delegation.holding.hand_back() for duty in self._duties.values()]
        if self._taking is not None:
            unbegun = [task for task in await self._taking if task.id not in self._duties]
            given_back += [self._not_now(task, "the bridge stops", 0.0) for task in unbegun]
        leaving = in_database(worker_unregister, workspace_id=self.workspace_id, worker_id=self.worker_id)
        for failure in await asyncio.gather(*given_back, leaving, return_exceptions=True):
            if isinstance(failure, Exception):
                log.warning("the bridge could not give everything back: %s", failure)
        self._duties.clear()
        await self._lines.close_others([], [])

    # Claiming --------------------------------------------------------------------------------------------------------

    async def _claim_for_ever(self) -> None:
        with hub().waiting(f"workspace:{self.workspace_id}") as waiter:
            while True:
                await riding_out(self._claim())
                if len(self._duties) >= CONCURRENCY:
                    self._room.clear()
                    await self._room.wait()
                    continue
                await hinted(waiter, lambda hint: hint.queue == GLOBAL_QUEUE, POLL_SECONDS)

    async def _claim(self) -> None:
        self._taking = asyncio.ensure_future(in_database(self._claimed, CONCURRENCY - len(self._duties)))
        for task in await asyncio.shield(self._taking):
            agent = next((one for one in self._agents if one.name == task.target_agent), None)
            if agent is None:  # it went between our registration and the claim
                await self._not_now(task, f"the remote agent {task.target_agent} is not there", GONE_SECONDS)
                continue
            try:
                remote = self._lines.to(agent)
            except CodeTetherError as error:
                await in_database(remote_agent_failed, agent_id=agent.id, error=error.detail)
                await self._not_now(task, error.detail, UNUSABLE_SECONDS)
            else:
                await self._begin(task, remote)
        self._taking = None

    def _claimed(self, limit: int) -> "list[Task]":
        claimer, draining, _ = claimer_get(workspace_id=self.workspace_id, worker_id=self.worker_id)
        return [] if draining or limit < 1 else task_claim(claimer=claimer, limit=limit)

    async def _not_now(self, task: "Task", reason: str, seconds: float) -> None:
        assert task.claim_token is not None
        claim = Claim(task.workspace_id, task.id, task.claim_token)
        await in_database(task_snooze, claim=claim, seconds=seconds, reason=reason)

    async def _begin(self, task: "Task", remote: Remote) -> None:
        delegation = Delegation(task, remote)
        if task.last_steering_seq > task.heard_seq:
            for event in await in_database(steering_after, task.id, task.heard_seq):
                delegation.hear(steering_message(task.id, event))
        if (former := self._duties.get(task.id)) is not None:
            former.running.cancel()  # it was put back in the queue, and the claim is another one now
        running = asyncio.create_task(delegation.run(), name=f"task {task.id} at {remote.agent.name}")
        self._duties[task.id] = Duty(delegation, running)
        running.add_done_callback(lambda done: self._over(task.id, done))

    def _over(self, task_id: uuid.UUID, done: asyncio.Task[None]) -> None:
        duty = self._duties.get(task_id)
        if done.cancelled() or duty is None or duty.running is not done:
            return  # whoever cancelled it sees to the rest
        del self._duties[task_id]
        self._room.set()
        if (failure := done.exception()) is not None:
            # its lease runs out, so that somebody tries again
            log.error("task %s: the bridge failed", task_id, exc_info=failure)

    # Heartbeat -------------------------------------------------------------------------------------------------------

    async def _beat_for_ever(self) -> None:
        with hub().waiting(f"workspace:{self.workspace_id}") as waiter:
            while True:
                await riding_out(self._beat())
                pause = min(POLL_SECONDS, settings.LEASE_SECONDS / HEARTBEATS_PER_LEASE)
                await hinted(waiter, lambda hint: hint.worker == self.worker_id, pause)

    async def _beat(self) -> None:
        """Renew what is held, hear what was said, and end what is not ours any more."""
        claims = [self._held(duty.delegation.holding) for duty in self._duties.values()]
        try:
            beat = await in_database(self._heartbeat, claims)
        except WorkerNotFoundError:
            await self._register(again=True)
            return
        for said in beat.messages:
            duty = self._duties.get(uuid.UUID(said["task_id"]))
            if duty is not None:
                duty.delegation.hear(said)
        for claim in claims:
            if claim.task_id in beat.lost:
                await self._lost(claim, beat.lost[claim.task_id])

    def _heartbeat(self, claims: list[HeldClaim]) -> Heartbeat:
        return worker_heartbeat(workspace_id=self.workspace_id, worker_id=self.worker_id, claims=claims)

    @staticmethod
    def _held(holding: Holding) -> HeldClaim:
        return HeldClaim(holding.claim.task_id, holding.claim.token, holding.heard_seq)

    async def _lost(self, claim: HeldClaim, reason: str) -> None:
        """Cancelled, or somebody else's by now. The remote task is not touched: another holder may go on with it."""
        duty = self._duties.get(claim.task_id)
        if duty is None or duty.running.done() or duty.delegation.holding.claim.token != claim.token:
            return  # it has just ended by itself, or is ours anew
        log.info("task %s is let go: %s", claim.task_id, reason)
        del self._duties[claim.task_id]
        self._room.set()
        duty.running.cancel()
        await asyncio.wait([duty.running])
        self.given_up.set()
