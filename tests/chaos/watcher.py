"""Clients that follow streams: they come back with the last id they saw, and check what they are told as it comes."""

import asyncio
import random

from tests.chaos.calls import Told, streamed
from tests.chaos.history import FAIL, OK, History
from tests.chaos.scene import Scene

QUIET_SECONDS = 4.0


class Watcher:
    """Follows one task to its end.

    Notes `watched` with the last seq at the end, and a failed `stream` wherever an event was missed or came twice.
    """

    def __init__(self, scene: Scene, history: History, task_id: str) -> None:
        self._scene = scene
        self._history = history
        self._random = random.Random(f"{scene.seed} watcher {task_id}")
        self._task_id = task_id
        self._seq = 0
        self._is_over = False

    async def run(self) -> None:
        connections = 0
        while not self._scene.is_done():
            connections += 1
            try:
                await self._follow()
            except (OSError, TimeoutError, ValueError) as error:
                self._history.note("stream lost", self._task_id, FAIL, seq=self._seq, error=type(error).__name__)
            if self._is_over:
                self._history.note("watched", self._task_id, OK, seq=self._seq, connections=connections)
                return
            await asyncio.sleep(self._random.uniform(0.05, 0.5))
        self._history.note("unwatched", self._task_id, FAIL, seq=self._seq)

    async def _follow(self) -> None:
        path = f"/v1/opencode/tasks/{self._task_id}/output/stream"
        async with streamed(self._scene.proxy_port, path, str(self._seq) if self._seq else "") as events:
            async for told in events:
                self._take(told)
                if self._is_over:
                    return

    def _take(self, told: Told) -> None:
        if "seq" not in told.data:
            return  # it speaks of the stream itself
        if told.data["seq"] != self._seq + 1 or told.id != str(self._seq + 1):
            facts = {"expected": self._seq + 1, "got": told.data["seq"], "said_id": told.id}
            self._history.note("stream", self._task_id, FAIL, **facts)
        self._seq = int(told.data["seq"])
        self._is_over = told.event == "complete" or (told.event == "error" and told.data.get("status") == "failed")


class Monitor:
    """Follows the workspace's whole stream, from its start to when every task has ended and nothing more comes.

    Notes `monitored` with the last seq of each task that it was told of, and a failed `stream` as a Watcher does.
    """

    PATH = "/v1/monitor/stream?from=start"

    def __init__(self, scene: Scene, history: History, number: int) -> None:
        self._scene = scene
        self._history = history
        self._random = random.Random(f"{scene.seed} monitor {number}")
        self._last_id = ""
        self._seqs: dict[str, int] = {}

    async def run(self) -> None:
        connections, is_over = 0, False
        while not (is_over or self._scene.is_done()):
            connections += 1
            is_last = self._scene.ended_flag.exists()
            is_quiet = await self._follow(QUIET_SECONDS if is_last else self._random.uniform(2.0, 20.0))
            is_over = is_last and is_quiet
            await asyncio.sleep(self._random.uniform(0.05, 0.5))
        self._history.note("monitored", "", OK, seqs=self._seqs, connections=connections)

    async def _follow(self, seconds: float) -> bool:
        """For so long at most; whether the stream was open and told nothing in that time."""
        before = None
        try:
            async with asyncio.timeout(seconds), streamed(self._scene.proxy_port, self.PATH, self._last_id) as events:
                before = self._last_id
                async for told in events:
                    self._take(told)
        except (OSError, TimeoutError, ValueError) as error:
            self._history.note("monitor lost", "", FAIL, error=type(error).__name__)
        return before == self._last_id

    def _take(self, told: Told) -> None:
        if "seq" not in told.data:
            return  # it speaks of the stream itself
        self._last_id = told.id
        task_id, seq = str(told.data["task_id"]), int(told.data["seq"])
        expected = self._seqs.get(task_id, 0) + 1
        if seq != expected:
            self._history.note("stream", task_id, FAIL, expected=expected, got=seq, said_id=told.id)
        self._seqs[task_id] = seq
