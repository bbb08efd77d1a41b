"""One of our tasks at work at a remote agent, for as long as this bridge holds it.

It listens to the remote task, writes down what it tells, and passes on what people say here. The connection may go and
come back: the remote task goes on by itself, and a snapshot of it tells what was missed. What ends the attempt is the
remote task's end, a loss of the claim (the bridge cancels `run`), or trouble that waiting does not mend.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from a2a.types import SendMessageRequest, StreamResponse, TaskState
from a2a.types import Task as RemoteView

from apps.core.db import in_database
from apps.federation.holding import Holding
from apps.federation.outgoing import first_message, later_id, later_message
from apps.federation.remote import Fault, Remote, TroubleError
from apps.federation.translation import Translation
from apps.tasks.errors import StaleClaimError
from apps.tasks.services import Outcome

if TYPE_CHECKING:
    from apps.tasks.models import Task

log = logging.getLogger(__name__)

Responses = AsyncGenerator[StreamResponse]
Steering = Mapping[str, Any]

RECONNECTS = 6
RECONNECT_FIRST = 0.5
RECONNECT_MOST = 10.0
POLL_FIRST = 0.5
POLL_MOST = 10.0
ASKING_POLL_SECONDS = 20.0
"""How often a question is looked at again: it may be answered elsewhere, or taken back."""
ASKING_STATES = (TaskState.TASK_STATE_INPUT_REQUIRED, TaskState.TASK_STATE_AUTH_REQUIRED)
LIVE_STATES = (TaskState.TASK_STATE_UNSPECIFIED, TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING)


class Delegation:
    """`seen_seq` is the last thing said to the task that the bridge has told us."""

    def __init__(self, task: "Task", remote: Remote) -> None:
        self.task = task
        self.remote = remote
        self.holding = Holding(task, remote.agent)
        self.seen_seq = task.heard_seq
        self._translation = Translation()
        self._outcome: Outcome | None = None
        self._unsaid: deque[Steering] = deque()
        self._spoken = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None
        self._failures = 0

    def hear(self, said: Steering) -> None:
        """Something that a person said to the task (a steering event, as the worker protocol tells it)."""
        if said["seq"] > max(self.seen_seq, self.holding.heard_seq):
            self.seen_seq = said["seq"]
            self._unsaid.append(said)
            self._spoken.set()

    async def run(self) -> None:
        """Until the attempt ends, one way or the other. Losing the claim is no error."""
        try:
            await self.holding.open()
            try:
                await self._converse()
                await self._finish()
            except TroubleError as trouble:
                await self.holding.give_up(trouble)
        except StaleClaimError:
            log.info("task %s: the claim does not hold any more", self.task.id)
        finally:
            if self._telling is not None:
                await _ended(self._telling)

    # The conversation ------------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        """Listen to one source after the other until one tells the end."""
        source = self._resumed() if self.holding.is_begun else self._begun()
        while self._outcome is None:
            try:
                source = await self._listen(source) or await self._next()
            except TroubleError as trouble:
                if trouble.fault is not Fault.UNREACHABLE or not self.holding.is_begun:
                    raise
                await self._pause_before_reconnect(trouble)
                source = self._resumed()

    async def _pause_before_reconnect(self, trouble: TroubleError) -> None:
        self._failures += 1
        if self._failures > RECONNECTS:
            raise trouble
        log.info("task %s: %s; trying again", self.task.id, trouble)
        await asyncio.sleep(min(RECONNECT_MOST, RECONNECT_FIRST * 2 ** (self._failures - 1)))

    async def _listen(self, source: Responses) -> Responses | None:
        """Take what comes from a source. Returns the one that takes its place, or None where it has ended."""
        reading: asyncio.Future[Any] = asyncio.ensure_future(anext(source, None))
        try:
            await asyncio.wait([reading])  # its first word tells what the agent has had: only then more is said
            while True:
                if reading.done():
                    response = reading.result()
                    if response is None:
                        return None
                    await self._take(response)
                    if self._outcome is not None:
                        return None
                    reading = asyncio.ensure_future(anext(source, None))
                following = await self._pass_on()
                if following is not None:
                    return following
                await self._until_there_is_more(reading)
        finally:
            await _ended(reading)
            await source.aclose()

    async def _until_there_is_more(self, reading: asyncio.Future[Any]) -> None:
        """An answer of the agent, or something to pass on to it; one thing at a time, in its order."""
        if self._telling is not None or not self.holding.is_begun:
            await asyncio.wait({reading, self._telling or reading}, return_when=asyncio.FIRST_COMPLETED)
            return
        spoken = asyncio.ensure_future(self._spoken.wait())
        try:
            await asyncio.wait({reading, spoken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _ended(spoken)

    async def _next(self) -> Responses:
        """Where a source ended without the task's end: the next one, after a question when it is answered."""
        if self._outcome is not None:
            return self._resumed()  # which nobody will read
        if self.holding.question is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._spoken.wait(), ASKING_POLL_SECONDS)
        elif self.remote.streams:
            await self._pause_before_reconnect(TroubleError(Fault.UNREACHABLE, "The agent's stream ends too early."))
        return self._resumed()

    async def _begun(self) -> Responses:
        """The first message, and what follows."""
        link, extra = self.holding.link, self.remote.agent.message_metadata
        request = await in_database(first_message, self.task, link, extra)
        async with aclosing(self.remote.send(request)) as responses:
            async for response in responses:
                yield response

    async def _resumed(self) -> Responses:
        """The remote task as it is now, and what follows; or the answer to its question, where it has not had that."""
        view = await self.remote.get(self._remote_id)
        self._forget_what_was_taken(view)
        if view.status.state in ASKING_STATES and self._has_answer():
            async with aclosing(self._answered()) as responses:
                async for response in responses:
                    yield response
            return
        yield StreamResponse(task=view)
        if view.status.state in LIVE_STATES:
            async with aclosing(self._followed()) as responses:
                async for response in responses:
                    yield response

    async def _followed(self) -> Responses:
        if self.remote.streams:
            try:
                async with aclosing(self.remote.follow(self._remote_id)) as responses:
                    async for response in responses:
                        yield response
                return
            except TroubleError as trouble:
                if trouble.fault is not Fault.REFUSED:
                    raise
        pause = POLL_FIRST
        while True:
            await asyncio.sleep(pause)
            pause = min(POLL_MOST, pause * 1.5)
            view = await self.remote.get(self._remote_id)
            yield StreamResponse(task=view)
            if view.status.state not in LIVE_STATES:
                return

    # What people say -------------------------------------------------------------------------------------------------

    async def _pass_on(self) -> Responses | None:
        """Say what is to be said. An answer makes the agent speak anew: it gives a source in the place of the old."""
        if self._telling is not None and self._telling.done():
            told, self._telling = self._telling, None
            told.result()
        if not self.holding.is_begun or self._telling is not None:
            return None
        if not self._unsaid:
            self._spoken.clear()
            return None
        said = self._unsaid[0]
        if said["kind"] == "input":
            return self._answered()
        self._telling = asyncio.create_task(self._tell(said))
        return None

    async def _tell(self, said: Steering) -> None:
        """A message while the agent works, which may take its time. A refused one is told of, and ends nothing."""
        if said["kind"] == "interrupt" and not said["message"].strip():
            await self.holding.report(
                [("status", {"message": "A2A knows no interruption: cancel the task, or speak to it."})]
            )
            self._taken(said)
            return
        try:
            await self.remote.tell(await self._message(said))
        except TroubleError as trouble:
            if trouble.fault is not Fault.REFUSED:
                raise
            await self.holding.report(
                [("status", {"message": f"The remote agent did not take the message: {trouble}"})]
            )
        self._taken(said)

    async def _answered(self) -> Responses:
        """Send the answer that is next; it counts as taken with the agent's first word."""
        said = next(one for one in self._unsaid if one["kind"] == "input")
        self._translation.is_whole = False
        request = await self._message(said)
        async with aclosing(self.remote.send(request)) as responses:
            async for response in responses:
                if said in self._unsaid:
                    self._taken(said)
                    self.holding.question = None
                yield response

    async def _message(self, said: Steering) -> SendMessageRequest:
        extra = self.remote.agent.message_metadata
        return await in_database(later_message, self.task, self.holding.link, said, extra)

    def _has_answer(self) -> bool:
        return any(said["kind"] == "input" for said in self._unsaid)

    def _taken(self, said: Steering) -> None:
        if said in self._unsaid:
            self._unsaid.remove(said)
        self.holding.heard_seq = max(self.holding.heard_seq, said["seq"])

    def _forget_what_was_taken(self, view: RemoteView) -> None:
        """What the agent has had by its own history, or answers to a question that it does not ask any more."""
        had = {message.message_id for message in view.history}
        for said in list(self._unsaid):
            is_moot = said["kind"] == "input" and view.status.state not in ASKING_STATES
            if is_moot or later_id(self.task.id, said["seq"]) in had:
                self._taken(said)
                self.holding.question = None

    @property
    def _remote_id(self) -> str:
        return self.holding.link.remote_task_id

    # What the agent says ---------------------------------------------------------------------------------------------

    async def _take(self, response: StreamResponse) -> None:
        heard = self._translation.take(response)
        self._failures = 0
        await self.holding.take(heard)
        self._outcome = heard.outcome or self._outcome

    async def _finish(self) -> None:
        """With the end the whole is at hand: what a change of streams may have swallowed is told now."""
        if not self._translation.is_whole and self.holding.is_begun:
            with suppress(TroubleError):
                await self._take(StreamResponse(task=await self.remote.get(self._remote_id)))
        assert self._outcome is not None
        await self.holding.finish(self._outcome)


async def _ended(future: asyncio.Future[Any]) -> None:
    """Cancel what is still under way; what it raised is of no interest any more."""
    future.cancel()
    await asyncio.wait([future])
    if not future.cancelled():
        future.exception()
