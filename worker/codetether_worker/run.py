"""Runs one claim from its first prompt to its outcome."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from codetether_worker import events, lease, openings
from codetether_worker.agents.base import AgentSession, Answer, Turn
from codetether_worker.backoff import abandon, cancel_and_wait
from codetether_worker.errors import AgentError
from codetether_worker.files import TaskFiles
from codetether_worker.halts import Halt
from codetether_worker.limits import AttemptLimits
from codetether_worker.outbox import ClaimLog
from codetether_worker.protocol import Claim, Message, Outcome
from codetether_worker.usage import added
from codetether_worker.watch import Watch

log = logging.getLogger(__name__)


class ClaimRun:
    """One claim being worked on. Its methods are called from the worker's event loop only.

    `stop_grace` seconds pass between asking the agent to stop and ending its processes.
    """

    def __init__(
        self, claim: Claim, outbox: ClaimLog, *, claimed_at: float, limits: AttemptLimits, stop_grace: float
    ) -> None:
        self.claim = claim
        self.lease = lease.Lease(claim.lease_seconds, sent_at=claimed_at)
        self.limits = limits
        self._outbox = outbox
        self._stop_grace = stop_grace
        self._begun = lease.now()
        self._used: Mapping[str, Any] = {}
        self._told = False
        self._untold = claim.answer
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
        if self._untold is not None:
            return self.claim.message_seq
        return self._queued[0].seq - 1 if self._queued else self._seen_seq

    @property
    def halted(self) -> bool:
        return self._halted.done()

    @property
    def asks(self) -> bool:
        """Whether a question to a person is open."""
        return self._session is not None and self._session.awaits_person

    @property
    def has_spoken(self) -> bool:
        """Whether a session of this attempt knows the task."""
        return self._told

    @property
    def session_id(self) -> str | None:
        """The agent's session that a later attempt can resume."""
        return self._session_id

    def emit(self, event: events.Event) -> None:
        """Report what happened, while there is room for it; `Watch` ends an attempt that has used it up."""
        if self._outbox.taken <= self.limits.output:
            self._outbox.append(event)
            if self._outbox.taken > self.limits.output:
                self._outbox.append(events.status("The report is cut here: the output limit is used up."))

    def halt(self, halt: Halt) -> None:
        """Stop the attempt; the first reason counts."""
        if not self._halted.done():
            log.info("stopping task=%s reason=%s", self.claim.task_id, halt.reason)
            self._halted.set_result(halt)

    def take_message(self, message: Message) -> None:
        """Act on a message of a person. A repeated one is ignored."""
        if message.seq <= self._seen_seq:
            return
        if self.claim.answer is not None and message.seq == self.claim.answer.seq:
            return  # the agent is told of it when its session goes on
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
        """Drive the session to its end and close it. Never raises for the agent's faults.

        Called again with another session, it goes on where the one before has stopped.
        """
        self._session = session
        watch = asyncio.create_task(self._watch(session).run(), name=f"watch {self.claim.task_id}")
        try:
            outcome = await self._converse(session, files)
        except AgentError as error:
            outcome = Outcome("failed", error=str(error), error_code=error.code, retry=error.retry)
        finally:
            await cancel_and_wait(watch)
            await session.close()
        return self._with_facts(outcome, session)

    def _watch(self, session: AgentSession) -> Watch:
        before = self._used
        return Watch(
            session, self.limits, self.lease, begun=self._begun, halt=self.halt,
            said=lambda: self._outbox.taken, used=lambda usage: added(before, usage),
        )  # fmt: skip

    def _with_facts(self, outcome: Outcome, session: AgentSession) -> Outcome:
        self._used = used = added(self._used, session.usage())
        if used:
            self.emit(events.usage(used))
        return replace(outcome, session_id=self._session_id, usage=used, message_seq=self.message_seq)

    async def _converse(self, session: AgentSession, files: TaskFiles) -> Outcome:
        """Start, then one turn for the task and one for each message that came in meanwhile; hand in what was made."""
        started = await self._unless_halted(session.start())
        if isinstance(started, Halt):
            return started.outcome
        opening = openings.opening(
            self.claim, resumed=bool(started) and started == self._session_id, told=self._told, answer=self._untold
        )
        if started:
            self._session_id = started
        asked = files.introduced(opening, self.claim.attachments, first=True)
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
        return handed_in.outcome if isinstance(handed_in, Halt) else self._outcome_of(turn, session.refused)

    def _note_spoken(self) -> None:
        """The session knows the task now, and what was answered to an earlier attempt."""
        self._told = True
        if self._untold is not None:
            self._seen_seq = max(self._seen_seq, self._untold.seq)
            self._untold = None

    async def _turn(self, session: AgentSession, prompt: str) -> Turn | Halt:
        """One turn, ended early by a halt or an interrupt. Either way the program has been asked to stop."""
        if self._interrupt.is_set():  # it came before the turn began
            return Turn("cancelled", "")
        self._note_spoken()
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

    def _outcome_of(self, turn: Turn, refused: Sequence[str]) -> Outcome:
        """Completed only where the agent ended its turn by itself and no rule refused anything that it wanted."""
        if turn.stop_reason == "end_turn" and turn.error is None:
            if refused:
                return Outcome(
                    "failed", result=turn.text or None, error=_refusal(refused), error_code="permission_denied"
                )
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


def _refusal(refused: Sequence[str]) -> str:
    more = f", and {len(refused) - 3} more" if len(refused) > 3 else ""
    return f"the codebase's rules refused what the agent wanted to do: {'; '.join(refused[:3])}{more}"
