"""Runs one claim from its first prompt to its outcome."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from codetether_worker import events, lease
from codetether_worker.agents.base import AgentSession, Answer, Turn
from codetether_worker.backoff import abandon, cancel_and_wait
from codetether_worker.errors import AgentError
from codetether_worker.files import TaskFiles
from codetether_worker.outbox import ClaimLog
from codetether_worker.protocol import Claim, Message, Outcome

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Halt:
    """Why a running attempt is stopped from outside, and the outcome that this gives."""

    reason: str
    outcome: Outcome

    @classmethod
    def cancelled(cls, reason: str) -> Halt:
        text = reason or "cancelled"
        return cls(text, Outcome("cancelled", error=text, error_code="cancelled"))

    @classmethod
    def lease_lost(cls) -> Halt:
        text = "the lease ran out while the server could not be reached"
        return cls(text, Outcome("failed", error=text, error_code="lease_lost", retry=True))

    @classmethod
    def stale(cls) -> Halt:
        return cls("the claim is not ours any more", Outcome("failed", error_code="stale_claim"))

    @classmethod
    def drained(cls) -> Halt:
        text = "the worker is shutting down"
        return cls(text, Outcome("pending", error=text, error_code="worker_draining", retry_after=0))

    @classmethod
    def idle(cls, seconds: float) -> Halt:
        text = f"the agent gave no sign of life for {seconds:.0f} seconds"
        return cls(text, Outcome("failed", error=text, error_code="agent_idle"))


class ClaimRun:
    """One claim being worked on. Its methods are called from the worker's event loop only.

    Seconds: `idle_limit` without a sign of life stops the agent; `stop_grace` passes between asking it to stop
    and ending its processes.
    """

    def __init__(
        self, claim: Claim, outbox: ClaimLog, *, claimed_at: float, idle_limit: float, stop_grace: float
    ) -> None:
        self.claim = claim
        self.lease = lease.Lease(claim.lease_seconds, sent_at=claimed_at)
        self._outbox = outbox
        self._idle_limit = idle_limit
        self._stop_grace = stop_grace
        self._seen_seq = claim.message_seq
        self._queued: deque[Message] = deque()
        self._session: AgentSession | None = None
        self._session_id = None if claim.forks else claim.session_id
        self._halted: asyncio.Future[Halt] = asyncio.get_running_loop().create_future()
        self._interrupt = asyncio.Event()
        self._interrupted_by: Message | None = None

    @property
    def claim_token(self) -> str:
        return self.claim.claim_token

    @property
    def message_seq(self) -> int:
        """The last message that has been acted on, with all before it."""
        return self._queued[0].seq - 1 if self._queued else self._seen_seq

    def emit(self, event: events.Event) -> None:
        self._outbox.append(event)

    def halt(self, halt: Halt) -> None:
        """Stop the attempt; the first reason counts."""
        if not self._halted.done():
            log.info("stopping task=%s reason=%s", self.claim.task_id, halt.reason)
            self._halted.set_result(halt)

    def take_message(self, message: Message) -> None:
        """Act on a message of a person. A repeated one is ignored."""
        if message.seq <= self._seen_seq:
            return
        self._seen_seq = message.seq
        if message.kind == "interrupt":
            self._interrupted_by = message
            self._interrupt.set()
        elif self._answers_question(message):
            if message.attachments:  # the answer is used up, the files are not
                self._queued.append(replace(message, text=""))
        elif message.text:
            self._queued.append(message)

    def _answers_question(self, message: Message) -> bool:
        """True when the message is used up; a refusal with an explanation is also said to the agent."""
        if message.kind != "input" or self._session is None:
            return False
        answer = self._session.answer(message.text, message.data)
        log.info("input task=%s by=%s answer=%s", self.claim.task_id, message.by, answer.value)
        return answer is Answer.SETTLED

    async def execute(self, session: AgentSession, files: TaskFiles) -> Outcome:
        """Drive the session to its end and close it. Never raises for the agent's faults."""
        self._session = session
        watch = asyncio.create_task(self._watch(session), name=f"watch {self.claim.task_id}")
        try:
            outcome = await self._converse(session, files)
        except AgentError as error:
            outcome = Outcome("failed", error=str(error), error_code=error.code, retry=error.retry)
        finally:
            await cancel_and_wait(watch)
            await session.close()
        return self._with_facts(outcome, session)

    def _with_facts(self, outcome: Outcome, session: AgentSession) -> Outcome:
        used = session.usage()
        if used:
            self.emit(events.usage(used))
        return replace(outcome, session_id=self._session_id, usage=used, message_seq=self.message_seq)

    async def _converse(self, session: AgentSession, files: TaskFiles) -> Outcome:
        """Start, then one turn for the task and one for each message that came in meanwhile; hand in what was made."""
        started = await self._unless_halted(session.start())
        if isinstance(started, Halt):
            return started.outcome
        if started:
            self._session_id = started
        asked = files.introduced(_first_prompt(self.claim), self.claim.attachments, first=True)
        while True:
            prompt = await self._unless_halted(asked)
            turn = prompt if isinstance(prompt, Halt) else await self._turn(session, prompt)
            if isinstance(turn, Halt):
                return turn.outcome
            following = self._next_message(turn)
            if following is None:
                break
            asked = files.introduced(following.text, following.attachments)
        handed_in = await self._unless_halted(files.hand_in())
        return handed_in.outcome if isinstance(handed_in, Halt) else self._outcome_of(turn)

    async def _turn(self, session: AgentSession, prompt: str) -> Turn | Halt:
        """One turn, ended early by a halt or an interrupt. Either way the program has been asked to stop."""
        if self._interrupt.is_set():  # it came before the turn began
            return Turn("cancelled", "")
        turn = asyncio.create_task(session.prompt(prompt), name=f"turn {self.claim.task_id}")
        interrupted = asyncio.create_task(self._interrupt.wait())
        try:
            awaited: set[asyncio.Future[Any]] = {turn, interrupted, self._halted}
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done():
                await self._stop_turn(session, turn)
        finally:
            await cancel_and_wait(interrupted)
        if self._halted.done():
            await abandon(turn)
            return self._halted.result()
        return await turn if turn.done() else await self._force_stop(session, turn)

    async def _stop_turn(self, session: AgentSession, turn: asyncio.Task[Turn]) -> None:
        await session.cancel()
        await asyncio.wait({turn}, timeout=self._stop_grace)

    async def _force_stop(self, session: AgentSession, turn: asyncio.Task[Turn]) -> Turn:
        """The program ignored the interrupt: end it. The session stays on its disk."""
        await session.close()
        await asyncio.wait({turn}, timeout=self._stop_grace)
        await abandon(turn)
        self._queued.clear()
        return Turn("cancelled", "")

    def _next_message(self, turn: Turn) -> Message | None:
        """What to say next in the same session, or None when the attempt is over."""
        interrupted, self._interrupted_by = self._interrupted_by, None
        self._interrupt.clear()
        if turn.stop_reason in ("failed", "rejected"):
            return None
        if interrupted and interrupted.text:
            return interrupted
        if interrupted and not self._queued:
            self._interrupted_by = interrupted
            return None
        if turn.stop_reason == "cancelled" and not interrupted:
            return None
        return self._queued.popleft() if self._queued else None

    def _outcome_of(self, turn: Turn) -> Outcome:
        if turn.stop_reason == "end_turn" and turn.error is None:
            return Outcome("completed", result=turn.text, direct=turn.direct)
        if turn.stop_reason == "rejected":
            return Outcome("rejected", error=turn.error or turn.text or "the agent will not do it")
        if turn.stop_reason == "cancelled":
            who = f" by {self._interrupted_by.by}" if self._interrupted_by and self._interrupted_by.by else ""
            note = f"The turn was interrupted{who}; the session is kept and can be continued."
            text = f"{turn.text}\n\n{note}" if turn.text else note
            return Outcome("cancelled", result=text, error=note, error_code="interrupted")
        error = turn.error or "the agent ended its turn without saying why"
        return Outcome("failed", result=turn.text or None, error=error, error_code=turn.error_code, retry=turn.retry)

    async def _unless_halted[T](self, work: Coroutine[Any, Any, T]) -> T | Halt:
        """The result of the work, or the halt that came first; the work is cancelled then."""
        task = asyncio.create_task(work, name=f"start {self.claim.task_id}")
        awaited: set[asyncio.Future[Any]] = {task, self._halted}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        if task.done() and not self._halted.done():
            return task.result()
        await abandon(task)
        return self._halted.result()

    async def _watch(self, session: AgentSession) -> None:
        """Stop the attempt when the lease has run out or the agent has gone silent."""
        while not self._halted.done():
            silent = lease.now() - session.last_activity
            if self.lease.remaining <= 0:
                self.halt(Halt.lease_lost())
            elif silent >= self._idle_limit and not session.awaits_person:
                self.halt(Halt.idle(self._idle_limit))
            await asyncio.sleep(max(0.02, min(1.0, self.lease.remaining, self._idle_limit - silent)))


def _first_prompt(claim: Claim) -> str:
    """The task's prompt, with the files it points at named in the text."""
    prompt = claim.prompt or claim.title
    if not claim.files:
        return prompt
    return prompt + "\n\nFiles to look at first:\n" + "\n".join(f"- {name}" for name in claim.files)
