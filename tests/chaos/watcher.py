"""Clients that follow streams: they come back with the last id they saw, and check what they are told as it comes."""

import asyncio
import random

from tests.chaos.calls import Told, streamed
from tests.chaos.history import FAIL, OK, History
from tests.chaos.scene import Scene


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
