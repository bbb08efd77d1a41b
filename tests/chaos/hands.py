"""Tiny workers of the harness's own ("hands"): they speak the worker protocol, claim in batches, and misbehave.

A hand keeps nothing: killed, it has forgotten its claims, and its tasks wait for their leases to end.
"""

import asyncio
import random

from tests.chaos.attempt import Attempt
from tests.chaos.calls import Answer, Json, call
from tests.chaos.history import OK, History
from tests.chaos.scene import LEASE_SECONDS, Scene

CLAIMS_HELD = 14
BATCH = 8
CAPABILITY = "chaos"


class Hand:
    """One worker: registers, claims, keeps its leases, and does each attempt as chance has it."""

    def __init__(self, scene: Scene, name: str, life: int) -> None:
        self.scene = scene
        self.name = name
        self.random = random.Random(f"{scene.seed} {name} {life}")
        self.history = History(scene.histories, name)
        self.held: dict[str, Attempt] = {}
        self._owned: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await self._register()
        beating = asyncio.create_task(self._beat())
        while not self.scene.is_done():
            free = CLAIMS_HELD - len(self.held)
            claimed = await self._claim(self.random.randint(1, min(BATCH, free))) if free > 0 else 0
            await asyncio.sleep(0.05 if claimed else self.random.uniform(0.2, 0.5))
        beating.cancel()

    async def call(self, method: str, path: str, body: Json) -> Answer:
        return await call(self.scene.proxy_port, method, path, {"worker_id": self.name, **body})

    async def persist(self, path: str, body: Json, *, stop: asyncio.Event | None = None) -> Answer:
        """Until the server says yes or no, or `stop` is set (the answer is unknown then)."""
        while True:
            answer = await self.call("POST", path, body)
            if answer.outcome in ("ok", "fail") or (stop is not None and stop.is_set()) or self.scene.is_done():
                return answer
            await asyncio.sleep(self.random.uniform(0.05, 0.4))

    async def _register(self) -> None:
        said = {
            "name": self.name, "capabilities": [CAPABILITY], "global_codebase_id": "global",
            "codebases": [self.scene.codebase_id], "concurrency": CLAIMS_HELD + BATCH,
        }  # fmt: skip
        await self.persist("/v1/opencode/workers/register", said)

    async def _claim(self, limit: int) -> int:
        """How many tasks are newly held."""
        answer = await self.call("POST", "/v1/worker/tasks/claim", {"limit": limit})
        tasks: list[Json] = answer.body.get("tasks", []) if answer.outcome == OK else []
        for task in tasks:
            self.history.note("claim", task["id"], token=task["claim_token"], attempt=task["attempt"], worker=self.name)
            attempt = Attempt(self, task)
            self.held[attempt.token] = attempt
            self._own(attempt)
        return len(tasks)

    def _own(self, attempt: Attempt) -> None:
        working = asyncio.create_task(attempt.run())
        self._owned.add(working)
        working.add_done_callback(lambda task: self._worked(attempt, task))

    def _worked(self, attempt: Attempt, task: "asyncio.Task[None]") -> None:
        self._owned.discard(task)
        self.held.pop(attempt.token, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.history.note("hand broke", attempt.task_id, "fail", error=repr(error))

    async def _beat(self) -> None:
        while True:
            claims = [attempt.claim for attempt in self.held.values() if attempt.beats]
            answer = await self.call("POST", f"/v1/opencode/workers/{self.name}/heartbeat", {"claims": claims})
            if answer.code == "worker_not_found":
                await self._register()
            elif answer.outcome == OK:
                self._heed(answer.body, {claim["claim_token"] for claim in claims})
            await asyncio.sleep(LEASE_SECONDS / 4)

    def _heed(self, said: Json, carried: set[str]) -> None:
        lost = {entry["task_id"] for entry in said["cancel"]}
        for token in carried:
            attempt = self.held.get(token)
            if attempt is None:
                continue
            if attempt.task_id in lost:
                attempt.lost.set()
            for message in said["messages"]:
                if message["task_id"] == attempt.task_id:
                    attempt.hear(message)


def main(scene: Scene, name: str, life: int) -> None:
    """In a process of its own; `life` counts its restarts, which must not repeat the same chances."""
    asyncio.run(Hand(scene, name, life).run())
