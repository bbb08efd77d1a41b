"""What a hand does with one claim: mostly honest work, sometimes what a broken or a late worker does."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.chaos.calls import Answer, Json
from tests.chaos.history import FAIL
from tests.chaos.scene import LEASE_SECONDS

if TYPE_CHECKING:
    from tests.chaos.hands import Hand

ANSWER_SECONDS = 25.0
BEHAVIOURS = {
    "work": 60, "fail and retry": 6, "fail": 3, "snooze": 6, "decline": 3, "ask": 6, "leave a question": 4,
    "finish late": 6, "vanish": 2, "go on after the end": 4,
}  # fmt: skip


class Attempt:
    """One claim. `beats` says whether its hand renews the lease, `lost` that the server has taken the claim back."""

    def __init__(self, hand: "Hand", task: Json) -> None:
        self._hand = hand
        self.task_id = str(task["id"])
        self.token = str(task["claim_token"])
        self.beats = True
        self.lost = asyncio.Event()
        self._number = int(task["attempt"])
        self._random = random.Random(f"{hand.scene.seed} {task['title']} {self._number}")
        self._heard = int(task["message_seq"])
        self._answered = asyncio.Event()
        self._said = 0

    @property
    def claim(self) -> Json:
        return {"task_id": self.task_id, "claim_token": self.token, "message_seq": self._heard}

    def hear(self, message: Json) -> None:
        self._heard = max(self._heard, int(message["seq"]))
        if message["kind"] == "input":
            self._answered.set()

    async def run(self) -> None:
        behave = self._choose()
        await self._work()
        if not self.lost.is_set():
            await behave()

    def _choose(self) -> Callable[[], Awaitable[Any]]:
        deeds: dict[str, Callable[[], Awaitable[Any]]] = {
            "work": self._complete,
            "fail and retry": lambda: self._release("failed", error="as planned", retry=True),
            "fail": lambda: self._release("failed", error="as planned"),
            "snooze": lambda: self._release("pending", retry_after=round(self._random.uniform(0.2, 2.0), 2)),
            "decline": self._decline,
            "ask": self._ask,
            "leave a question": lambda: self._release("input_required", question=f"Which? {self._mark}"),
            "finish late": self._finish_late,
            "vanish": self._vanish,
            "go on after the end": self._go_on,
        }
        name = self._random.choices(list(BEHAVIOURS), list(BEHAVIOURS.values()))[0]
        return self._complete if self._hand.scene.is_calm() else deeds[name]

    @property
    def _mark(self) -> str:
        """What no other attempt says."""
        return f"{self.task_id}/{self._number}"

    async def _work(self) -> None:
        """A few batches of events over a short time."""
        for _ in range(self._random.randint(1, 3)):
            if self.lost.is_set():
                return
            await self._say(self._random.randint(1, 4))
            await asyncio.sleep(self._random.uniform(0.0, 0.4))

    async def _say(self, number: int, *, last: Json | None = None) -> None:
        events = [self._event("output", {"type": "text", "content": f"{self._mark}/{n}"}) for n in range(number)]
        if last is not None:
            events.append(self._event("input_required", last))
        body = {"claim_token": self.token, "events": events}
        answer = await self._hand.persist(f"/v1/worker/tasks/{self.task_id}/events", body, stop=self.lost)
        facts = [[event["seq"], event["kind"], event["data"]] for event in events]
        self._note("events", answer, events=facts)
        if answer.outcome == FAIL:
            self.lost.set()

    def _event(self, kind: str, data: Json) -> Json:
        self._said += 1
        if kind == "output":
            data = {**data, "content": f"{data['content']}/{self._said}"}
        return {"seq": self._said, "kind": kind, "data": data}

    async def _release(self, status: str, **more: Any) -> None:
        facts = {name: more[name] for name in ("retry", "decline") if name in more}
        body = {
            "task_id": self.task_id,
            "claim_token": self.token,
            "status": status,
            "message_seq": self._heard,
            **more,
        }
        answer = await self._hand.persist("/v1/worker/tasks/release", body)
        self._note("release", answer, status=status, became=answer.body.get("status", ""), **facts)

    def _note(self, op: str, answer: Answer, **facts: Any) -> None:
        told = {"token": self.token, "code": answer.code, "worker": self._hand.name, **facts}
        self._hand.history.note(op, self.task_id, answer.outcome, **told)

    async def _complete(self) -> None:
        await self._release("completed", result=f"done {self._mark}", usage={"input_tokens": self._said})

    async def _decline(self) -> None:
        """Once in a task's life at most, else all hands might decline it."""
        if self._number > 1:
            return await self._complete()
        return await self._release("pending", decline=True, error="not here")

    async def _ask(self) -> None:
        """Holds on to the lease until somebody answers; gives up after a while, as people forget."""
        await self._say(1, last={"question": f"May I? {self._mark}", "options": []})
        waits = [asyncio.create_task(event.wait()) for event in (self._answered, self.lost)]
        await asyncio.wait(waits, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if not self.lost.is_set():
            await self._say(1)
            await self._complete()

    async def _finish_late(self) -> None:
        """No heartbeat for longer than the lease, as if the machine had slept; then on as if nothing had been."""
        self.beats = False
        await asyncio.sleep(LEASE_SECONDS * self._random.uniform(0.9, 4.0))
        await self._say(1)
        await self._complete()

    async def _vanish(self) -> None:
        self.beats = False

    async def _go_on(self) -> None:
        """Everything after the end, and another end, must be refused; the same end again is answered alike."""
        await self._complete()
        await self._say(1)
        await self._complete()
        await self._release("failed", error="changed my mind", retry=self._random.random() < 0.5)
