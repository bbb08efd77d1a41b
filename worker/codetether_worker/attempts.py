"""The claims this worker holds: running ones, and finished ones whose end the server does not have yet."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from codetether_sessions.redaction import Redactor
from codetether_worker.agents.base import AgentSession, Assignment
from codetether_worker.agents.programs import Programs
from codetether_worker.attempt import Attempt
from codetether_worker.client import ControlPlane
from codetether_worker.config import Config
from codetether_worker.delivery import Delivery
from codetether_worker.discovery import CONFORMANCE, Inventory
from codetether_worker.errors import AgentError, ServerRefused, ServerUnreachable
from codetether_worker.fallback import execute_with_fallbacks
from codetether_worker.files import TaskFiles
from codetether_worker.halts import Halt
from codetether_worker.limits import limits_of
from codetether_worker.outbox import Outbox
from codetether_worker.processes import agent_mark
from codetether_worker.protocol import REGISTER_CODEBASE, WORKING_TREE, Claim, HeartbeatReply, Outcome
from codetether_worker.registration import Registrar
from codetether_worker.routing import NotForThisWorker, choose_program, working_folder
from codetether_worker.run import ClaimRun
from codetether_worker.state import State
from codetether_worker.trees.keeper import Trees, in_worktrees, tree_busy

log = logging.getLogger(__name__)

NO_DISK_RETRY = 60.0  # seconds until a task that found no room on the disk is offered again
_SCRIPTED = frozenset({"builtin", CONFORMANCE})  # agents to whom there is no use in explaining anything


class Attempts:
    """Starts claims, keeps two of them out of one working tree, and knows what the heartbeat must carry.

    `on_free` is called whenever a slot or a working tree has become free.
    """

    def __init__(
        self, config: Config, state: State, client: ControlPlane, registrar: Registrar, inventory: Inventory,
        programs: Programs, trees: Trees, redactor: Redactor, *, on_free: Callable[[], None],
    ) -> None:  # fmt: skip
        self._config = config
        self._state = state
        self._client = client
        self._registrar = registrar
        self._inventory = inventory
        self._programs = programs
        self._trees = trees
        self._on_free = on_free
        self._redactor = redactor
        self._outbox = Outbox(state.outbox_dir, redactor.value, redactor.unfinished)
        self._held: dict[str, Attempt] = {}
        self._recovered: set[asyncio.Task[None]] = set()

    @property
    def free_slots(self) -> int:
        return self._config.concurrency - sum(attempt.working for attempt in self._held.values())

    @property
    def busy_codebases(self) -> list[str]:
        """Codebases whose working tree is in use; a claim for one of them could not start."""
        claims = [a.run.claim for a in self._held.values() if a.working and not in_worktrees(a.run.claim)]
        return [claim.codebase_id for claim in claims if claim.codebase_id and self._takes_whole_tree(claim)]

    @property
    def working(self) -> int:
        return sum(attempt.working for attempt in self._held.values())

    def recover(self) -> None:
        """Deliver what an earlier run left behind; attempts that died with it are reported as failed."""
        for leftover in self._outbox.leftovers():
            log.info("delivering for an earlier run task=%s finished=%s", leftover.task_id, leftover.finished)
            leftover.finish(_died_with_worker())
            leftover.changed.set()
            task = asyncio.create_task(Delivery(self._client, leftover, on_stale=_nothing).run())
            self._recovered.add(task)
            task.add_done_callback(self._recovered.discard)

    async def start(self, claim: Claim, *, claimed_at: float) -> None:
        """Take on a claim. Returns once the work is under way, or the claim is given back for want of disk."""
        self._redactor.learn(claim.given.secrets)
        try:
            outbox = await asyncio.to_thread(self._outbox.open, claim.task_id, claim.claim_token)
        except OSError as error:
            await self._give_back(claim, f"the worker cannot write its outbox: {error.strerror}")
            return
        run = ClaimRun(
            claim, outbox, claimed_at=claimed_at, limits=limits_of(claim, self._config.limits),
            stop_grace=self._config.stop_grace,
        )  # fmt: skip
        attempt = Attempt(run, outbox)
        self._held[claim.claim_token] = attempt
        delivery = Delivery(self._client, outbox, on_stale=lambda: run.halt(Halt.stale()))
        attempt.delivery = asyncio.create_task(delivery.run(), name=f"delivery {claim.task_id}")
        attempt.delivery.add_done_callback(lambda task: self._delivered(attempt, task))
        attempt.work = asyncio.create_task(self._work(attempt), name=f"work {claim.task_id}")
        attempt.work.add_done_callback(lambda task: self._worked(attempt, task))
        log.info("claimed task=%s attempt=%d title=%r", claim.task_id, claim.attempt, claim.title[:80])

    async def _give_back(self, claim: Claim, why: str) -> None:
        """Release a claim that was never started; if that fails too, its lease runs out."""
        log.error("given back task=%s: %s", claim.task_id, why)
        outcome = Outcome("pending", error=why, error_code="worker_disk", retry_after=NO_DISK_RETRY)
        body = {"task_id": claim.task_id, "claim_token": claim.claim_token, **outcome.to_release()}
        try:
            await self._client.release(body)
        except (ServerUnreachable, ServerRefused) as error:
            log.warning("not given back task=%s: %s", claim.task_id, error)

    def _worked(self, attempt: Attempt, task: asyncio.Task[Outcome]) -> None:
        """The end of the work, however it came about, becomes the finish in the outbox."""
        if task.cancelled():
            outcome = Halt.drained().outcome
        elif (error := task.exception()) is not None:
            log.error("attempt broke task=%s", attempt.run.claim.task_id, exc_info=error)
            text = f"the worker broke while it ran the task: {type(error).__name__}: {error}"
            outcome = Outcome("failed", error=text, error_code="worker_error", retry=True)
        else:
            outcome = task.result()
        attempt.outbox.finish(outcome)
        self._let_go(attempt)

    def _delivered(self, attempt: Attempt, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery broke task=%s", attempt.run.claim.task_id, exc_info=error)
            attempt.run.halt(Halt.stale())
        self._let_go(attempt)

    def _let_go(self, attempt: Attempt) -> None:
        """Forget the attempt once its agent has ended and the server has all of it."""
        if not attempt.working and not attempt.owing:
            self._held.pop(attempt.run.claim_token, None)
        self._on_free()

    async def _work(self, attempt: Attempt) -> Outcome:
        claim = attempt.run.claim
        if claim.agent_type == REGISTER_CODEBASE:
            return await self._registrar.answer_question(claim)
        mark = agent_mark(self._state.instance, secrets.token_hex(6))
        scratch = self._state.scratch_dir / mark
        try:
            scratch.mkdir(mode=0o700)
            if claim.agent_type == WORKING_TREE:
                return await self._act_on_tree(attempt)
            return await self._trees.run(
                claim, attempt.run.emit, lambda moved: self._run_agent(attempt, moved, mark, scratch),
                known=self._registrar.knows(claim.codebase_id), scratch=scratch,
            )  # fmt: skip
        except NotForThisWorker as error:
            return Outcome("pending", error=str(error), error_code=error.code, retry_after=0, declined=True)
        except AgentError as error:
            return Outcome("failed", error=str(error), error_code=error.code, retry=error.retry)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)

    async def _act_on_tree(self, attempt: Attempt) -> Outcome:
        """Merge or discard a working tree. A merge may bring the codebase's folder forward: nobody else works there."""
        if (folder := self._trees.checkout_of(attempt.run.claim)) is not None and self._tree_in_use(folder):
            return tree_busy()
        attempt.tree = folder
        return await self._trees.act(attempt.run.claim, attempt.run.emit)

    async def _run_agent(self, attempt: Attempt, claim: Claim, mark: str, scratch: Path) -> Outcome:
        attempt.agent = program = choose_program(claim, self._inventory)
        folder = self._folder(claim, program)
        if self._takes_whole_tree(claim) and self._tree_in_use(folder):
            return tree_busy()
        attempt.tree = folder if self._takes_whole_tree(claim) else None
        files = TaskFiles(
            self._client, claim, scratch, _root(claim, folder), folder, attempt.run.emit, talks=program not in _SCRIPTED
        )
        files.prepare()
        assignment = Assignment(
            task_id=claim.task_id, workdir=folder, agent_type=claim.agent_type, model=claim.model_wanted,
            session_id=claim.session_id, auto_approves=claim.auto_approves, max_steps=claim.max_iterations,
            has_codebase=folder != self._state.global_dir, mark=mark, scratch=scratch, emit=files.emit,
            metadata=claim.metadata, allowed=claim.allowed, denied=claim.denied, answer=claim.answer,
            environment=claim.given.variables,
        )  # fmt: skip

        def opened(model: str | None, begun: str | None) -> Awaitable[AgentSession]:
            chosen = replace(assignment, model=model)
            return self._programs.open(program, chosen.going_on_with(begun) if begun else chosen)

        models = (claim.model_wanted, *claim.fallback_models)
        return await execute_with_fallbacks(attempt.run, opened, files, models)

    def _folder(self, claim: Claim, program: str) -> Path:
        """The built-in agent only reads, so without a codebase it may look at this worker's first folder."""
        first = self._registrar.first_folder if program == "builtin" else None
        fallback = first or self._state.global_dir
        return working_folder(claim, fallback=fallback, known=self._registrar.knows(claim.codebase_id))

    @staticmethod
    def _takes_whole_tree(claim: Claim) -> bool:
        codebase = None if claim.in_tree else claim.codebase
        return codebase is not None and codebase.agent_config.get("parallel") is not True

    def _tree_in_use(self, folder: Path) -> bool:
        """Whether a running attempt works in this folder, in one above it or in one below it."""
        trees = [attempt.tree for attempt in self._held.values() if attempt.working and attempt.tree]
        return any(tree.is_relative_to(folder) or folder.is_relative_to(tree) for tree in trees)

    def told(self) -> list[dict[str, Any]]:
        """Everything held, for people who ask what this worker does; `since` in seconds since the epoch."""
        return [
            {"task_id": a.run.claim.task_id, "title": a.run.claim.title, "agent": a.agent, "since": a.since,
             "working": a.working}
            for a in self._held.values()
        ]  # fmt: skip

    def heartbeat_claims(self) -> list[dict[str, Any]]:
        """Everything held until its end is delivered: a lease that ran out would void the end."""
        return [
            {
                "task_id": attempt.run.claim.task_id,
                "claim_token": token,
                "message_seq": attempt.run.message_seq,
            }
            for token, attempt in self._held.items()
            if attempt.owing
        ]

    def apply(self, reply: HeartbeatReply, *, sent_at: float, carried: list[dict[str, Any]]) -> None:
        """Act on what a heartbeat brought, for the claims it carried."""
        tokens = {str(claim["claim_token"]) for claim in carried}
        for token, attempt in list(self._held.items()):
            task_id = attempt.run.claim.task_id
            if token not in tokens:
                continue
            if task_id in reply.cancelled:
                attempt.run.halt(Halt.cancelled(reply.cancelled[task_id]))
            elif task_id in reply.renewed:
                attempt.run.lease.renew(sent_at=sent_at)
            for message in reply.messages:
                if message.task_id == task_id:
                    attempt.run.take_message(message)

    def drain(self) -> None:
        """Stop everything that runs; others, or this worker's next run, go on with it."""
        for attempt in self._held.values():
            attempt.run.halt(Halt.drained(asking=attempt.run.asks))

    async def wait_worked(self, *, limit: float | None = None) -> bool:
        """Wait until no agent runs; False when `limit` seconds passed first."""
        return await _wait_all((a.work for a in self._held.values()), limit)

    async def wait_delivered(self, *, limit: float) -> bool:
        """Wait until the server has everything; what it does not have then stays on disk."""
        owed = [attempt.delivery for attempt in self._held.values()] + list(self._recovered)
        return await _wait_all(owed, limit)

    async def abandon_delivery(self) -> None:
        """Stop telling the server; what is on disk is told by the next run."""
        for attempt in list(self._held.values()):
            await attempt.outbox.flush()
        pending = [a.delivery for a in self._held.values() if a.delivery] + list(self._recovered)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _wait_all(tasks: Iterable[asyncio.Task[Any] | None], limit: float | None) -> bool:
    waiting = {task for task in tasks if task is not None and not task.done()}
    if not waiting:
        return True
    _, pending = await asyncio.wait(waiting, timeout=limit)
    return not pending


def _root(claim: Claim, folder: Path) -> Path:
    """The folder whose files may be handed over: the codebase's, without one that in which the agent works."""
    return Path(claim.codebase.path).resolve() if claim.codebase else folder


def _died_with_worker() -> Outcome:
    text = "the worker stopped without warning while it ran the task"
    return Outcome("failed", error=text, error_code="worker_restarted", retry=True)


def _nothing() -> None:
    """A claim of an earlier run has no agent that would have to be stopped."""
