"""Clients: they make tasks, watch, cancel, requeue, answer and speak, and note what they were told."""

import asyncio
import random
import time
from collections.abc import Coroutine
from typing import Any

from tests.chaos.calls import Answer, Json, call
from tests.chaos.history import FAIL, OK, History
from tests.chaos.scene import NARROW, WIDE, Scene
from tests.chaos.watcher import Monitor, Watcher

TASKS = "/v1/opencode/tasks"
AT_ONCE = 60
MONITORS = 2
REQUIRES: list[list[str]] = [["builtin"], ["chaos"], ["chaos"], ["chaos"], []]
"""The first needs a real daemon, the chaotic ones a hand, the last either."""
WAITING_MOST = 150
LOOK_EVERY = 0.7
ANSWER_EVERY = 0.7
SPEAK_EVERY = 1.5


class People:
    """All clients of a run, in one process."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._history = History(scene.histories, "people")
        self._watchers = History(scene.histories, "watchers")
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._random = random.Random(f"{scene.seed} people")
        self._progress = scene.progress_file.open("ab", buffering=0)
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def run(self) -> None:
        """Until every task is made and everybody who watches has seen the end, and then until the scene is done."""
        beside = [asyncio.create_task(work) for work in self._besides()]
        self._speak_until_calm = asyncio.create_task(self._speak())
        async with asyncio.TaskGroup() as stories:
            for number in range(MONITORS):
                stories.create_task(Monitor(self._scene, self._watchers, number).run())
            for number in range(self._scene.tasks):
                await self._at_once.acquire()
                stories.create_task(self._story(number))
                self._progress.write(b".")
                await asyncio.sleep(self._random.uniform(0, 2) * self._scene.seconds / self._scene.tasks * 0.9)
                await self._has_room.wait()
            stories.create_task(self._note_when_made())
        self._scene.content_flag.touch()
        while not self._scene.is_done():  # noqa: ASYNC110 (another process says so)
            await asyncio.sleep(0.2)
        for task in beside:
            task.cancel()

    async def _note_when_made(self) -> None:
        """All creates have been answered, and nobody speaks any more, which makes tasks too."""
        for _ in range(AT_ONCE):
            await self._at_once.acquire()
        await self._speak_until_calm
        self._scene.created_flag.touch()

    def _besides(self) -> tuple[Coroutine[Any, Any, None], ...]:
        return self._answer_questions(), self._look_at_queue(), self._pause()

    async def _look_at_queue(self) -> None:
        """No new tasks while very many wait: a slow machine takes longer, its queue does not grow without end."""
        while True:
            found = await self._call("GET", f"{TASKS}?status=pending&limit=1")
            if found.outcome == OK:
                has_room = found.body["total"] < WAITING_MOST
                (self._has_room.set if has_room else self._has_room.clear)()
            await asyncio.sleep(LOOK_EVERY)

    async def _story(self, number: int) -> None:
        """One task's life as a client sees it; what happens is decided by the seed and the task's number."""
        chance = random.Random(f"{self._scene.seed} story {number}")
        try:
            task_id = await self._create(number, chance)
        finally:
            self._at_once.release()
        if not task_id:
            return
        async with asyncio.TaskGroup() as beside:
            if chance.random() < 0.08:
                beside.create_task(Watcher(self._scene, self._watchers, task_id).run())
            for share, deed in ((0.06, "cancel"), (0.03, "requeue"), (0.1, "read"), (0.02, "prioritise")):
                if chance.random() < share:
                    beside.create_task(self._later(deed, task_id, chance.uniform(0.0, 4.0)))

    async def _create(self, number: int, chance: random.Random) -> str:
        key = f"key-{self._scene.seed}-{number}"
        body = {
            "title": key, "prompt": f"Calculate {number} * {chance.randint(2, 99)}", "priority": chance.randint(-2, 2),
            "max_attempts": chance.randint(3, 6), "requires": chance.choice(REQUIRES),
        }  # fmt: skip
        if body["requires"] == ["chaos"] and chance.random() < 0.15:
            body["codebase_id"] = self._scene.codebase_id
        if chance.random() < 0.15:
            body["concurrency_key"] = chance.choice([NARROW, WIDE, WIDE])
        if chance.random() < 0.02:
            body["deadline_seconds"] = chance.uniform(0.2, 3.0)
        answer = await self._persist("create", TASKS, body, key)
        return str(answer.body["task"]["id"]) if answer.outcome == OK else ""

    async def _persist(self, op: str, path: str, body: Json, key: str) -> Answer:
        """Until the server says yes or no, each time under the same Idempotency-Key."""
        while True:
            answer = await self._call("POST", path, body, key)
            if answer.outcome == OK:
                task_id = answer.body.get("task_id") or answer.body["task"]["id"]
                self._history.note(op, task_id, key=key, said=str(body.get("message", "")))
            elif answer.outcome == FAIL:
                self._history.note(op, key, FAIL, code=answer.code, status=answer.status)
            if answer.outcome in (OK, FAIL) or self._scene.is_done():
                return answer
            await asyncio.sleep(self._random.uniform(0.05, 0.6))

    async def _call(self, method: str, path: str, body: Json | None = None, key: str = "") -> Answer:
        return await call(self._scene.proxy_port, method, path, body, key=key)

    async def _later(self, deed: str, task_id: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        path = f"{TASKS}/{task_id}"
        if deed == "read":
            answer = await self._call("GET", path)
        elif deed == "prioritise":
            answer = await self._call("PATCH", path, {"priority": self._random.randint(-5, 5)})
        else:
            answer = await self._call("POST", f"{path}/{deed}", {})
        self._history.note(deed, task_id, answer.outcome, code=answer.code, status=answer.body.get("status", ""))

    async def _answer_questions(self) -> None:
        """Somebody looks at what waits for a person, and answers most of it."""
        count = 0
        while True:
            await asyncio.sleep(ANSWER_EVERY)
            found = await self._call("GET", f"{TASKS}?status=input_required&limit=50")
            for task in found.body.get("tasks", []):
                if self._random.random() < 0.3 and not self._scene.is_calm():
                    continue  # it must wait: its worker may vanish meanwhile
                count += 1
                said = f"answer {self._scene.seed}-{count}"
                await self._persist("answer", f"{TASKS}/{task['id']}/input", {"message": said}, said)

    async def _pause(self) -> None:
        """Somebody stops a part of the queue for a moment, now and then."""
        count = 0
        while not self._scene.is_calm():
            await asyncio.sleep(self._random.uniform(2.0, 8.0))
            count += 1
            part = self._random.choice(
                [{"kind": "key", "key": WIDE}, {"kind": "codebase", "key": self._scene.codebase_id}]
            )
            await self._until_said("pause", part, f"pause {self._scene.seed}-{count}")
            await asyncio.sleep(self._random.uniform(2.0, 5.0))
            await self._until_said("resume", part, f"resume {self._scene.seed}-{count}")

    async def _until_said(self, deed: str, part: Json, key: str) -> None:
        """Notes when it was asked first and when it was granted, as seconds since the epoch.

        Under a key: a request that was held up on its way must not pause again what is resumed by then.
        """
        asked, outcome = time.time(), ""
        while outcome != OK:
            await asyncio.sleep(0.05)
            outcome = (await self._call("POST", f"/v1/queue/{deed}", part, key)).outcome
        self._history.note(deed, part["key"], asked=asked, granted=time.time())

    async def _speak(self) -> None:
        """Somebody speaks to the codebase's agent, or starts it anew by that."""
        count = 0
        while not self._scene.is_calm():
            await asyncio.sleep(SPEAK_EVERY)
            count += 1
            said = f"word {self._scene.seed}-{count}"
            path = f"/v1/opencode/codebases/{self._scene.codebase_id}/message"
            await self._persist("speak", path, {"message": said}, said)


def main(scene: Scene) -> None:
    """In a process of its own."""
    asyncio.run(People(scene).run())
