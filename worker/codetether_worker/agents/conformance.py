"""The agent that A2A's compatibility kits test against: it does what the message's id says, and nothing else.

A kit cannot know what a real agent would answer, so it asks for known behaviour by the beginning of the messageId.
Only a worker with A2A_CONFORMANCE=true has this agent, and only a server with the same setting gives it tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codetether_worker import events, lease
from codetether_worker.agents.base import Answer, Assignment, SimpleSession, StopReason, Turn
from codetether_worker.events import Event
from codetether_worker.files import artifacts_folder

GREETING = "Hello from TCK"
_RESUBSCRIBE_SECONDS = 5.0
_BEAT_SECONDS = 0.5
_FILE_NAME = "output.txt"
_FILE = {"url": "https://example.com/output.txt", "filename": _FILE_NAME, "media_type": "text/plain"}


@dataclass(frozen=True, slots=True)
class Play:
    """What a message makes the agent do: work for `seconds`, ask `question` and wait, report, and end with `text`.

    `file` is the content of a file that it makes.
    """

    text: str = ""
    reports: tuple[Event, ...] = ()
    file: str = ""
    question: str = ""
    seconds: float = 0.0
    ending: StopReason = "end_turn"
    direct: bool = False


def _made(*parts: Mapping[str, Any]) -> tuple[Event, ...]:
    return (events.artifact(artifact_id="output", name="output", parts=parts),)


def _chunked(*texts: str) -> tuple[Event, ...]:
    last = len(texts) - 1
    return tuple(
        events.artifact(
            artifact_id="output", name="output", parts=[{"text": text}], append=number > 0, last=number == last
        )
        for number, text in enumerate(texts)
    )


OTHER = Play(GREETING)
PLAYS: Mapping[str, Play] = {
    "tck-complete-task": Play(GREETING),
    "tck-artifact-text": Play(reports=_made({"text": "Generated text content"})),
    "tck-artifact-file": Play(file="Generated file content"),
    "tck-artifact-file-url": Play(reports=_made(_FILE)),
    "tck-artifact-data": Play(reports=_made({"data": {"key": "value", "count": 42}})),
    "tck-message-response": Play("Direct message response", direct=True),
    "tck-input-required": Play(GREETING, question="What else do you want to say?"),
    "tck-reject-task": Play("This task is rejected.", ending="rejected"),
    "tck-stream-001": Play(reports=_made({"text": "Stream hello from TCK"})),
    "tck-stream-002": Play(),
    "tck-stream-003": Play(reports=_made({"text": "Stream task lifecycle"})),
    "tck-stream-ordering-001": Play(reports=_made({"text": "Ordered output"})),
    "tck-stream-artifact-text": Play(reports=_made({"text": "Streamed text content"})),
    "tck-stream-artifact-file": Play(file="Streamed file content"),
    "tck-stream-artifact-chunked": Play(reports=_chunked("chunk-1 ", "chunk-2")),
    "test-resubscribe-message-id": Play(GREETING, seconds=_RESUBSCRIBE_SECONDS),
}
"""What to do by how the messageId begins; the longest beginning counts."""


def play_of(metadata: Mapping[str, Any]) -> Play:
    """The play that a message's data ask for; any other message is greeted."""
    said = metadata.get("a2a")
    message_id = said.get("messageId") if isinstance(said, Mapping) else None
    fitting = [prefix for prefix in PLAYS if str(message_id or "").startswith(prefix)]
    return PLAYS[max(fitting, key=len)] if fitting else OTHER


class ConformanceSession(SimpleSession):
    """Plays what the first message asks for; the answer to a question may ask for another play."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._stopped = asyncio.Event()
        self._answered: asyncio.Future[Mapping[str, Any]] | None = None
        self.last_activity = lease.now()

    @property
    def awaits_person(self) -> bool:
        return self._answered is not None

    async def start(self) -> str | None:
        return None

    async def prompt(self, text: str) -> Turn:
        self.last_activity = lease.now()
        play = play_of(self._assignment.metadata)
        while play.question:
            data = await self._ask(play.question)
            if data is None:
                return Turn("cancelled", "")
            following = play_of(data)
            play = following if following is not OTHER else Play(play.text)
        if await self._is_stopped_within(play.seconds):
            return Turn("cancelled", "")
        for event in play.reports:
            self._assignment.emit(event)
        if play.file:
            made = artifacts_folder(self._assignment.scratch) / _FILE_NAME
            await asyncio.to_thread(made.write_text, play.file, encoding="utf-8")
        return Turn(play.ending, play.text, direct=play.direct)

    async def _ask(self, question: str) -> Mapping[str, Any] | None:
        """What came with the answer; None when the work was stopped first."""
        self._answered = asyncio.get_running_loop().create_future()
        self._assignment.emit(events.input_required(question=question, options=(), call_id=""))
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            awaited: set[asyncio.Future[Any]] = {self._answered, stopped}
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            return self._answered.result() if self._answered.done() else None
        finally:
            stopped.cancel()
            self._answered = None

    async def _is_stopped_within(self, seconds: float) -> bool:
        """Work for so long, and say so every now and then; True as soon as the work is stopped."""
        until = lease.now() + seconds
        while not self._stopped.is_set() and (left := until - lease.now()) > 0:
            self._assignment.emit(events.status("Still at it."))
            self.last_activity = lease.now()
            try:
                await asyncio.wait_for(self._stopped.wait(), min(left, _BEAT_SECONDS))
            except TimeoutError:
                continue
        return self._stopped.is_set()

    async def cancel(self) -> None:
        self._stopped.set()

    def answer(self, text: str, data: Mapping[str, Any]) -> Answer:
        if self._answered is None or self._answered.done():
            return Answer.UNASKED
        self._answered.set_result(data)
        return Answer.SETTLED

    async def close(self) -> None:
        self._stopped.set()
