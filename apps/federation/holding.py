"""Our side of a task that is at a remote agent: what is written to its log, and how the attempt ends here."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from apps.core.db import in_database
from apps.federation.contents import keep_contents
from apps.federation.links import link_close, link_note, link_of
from apps.federation.models import RemoteAgent, RemoteTask
from apps.federation.outgoing import references_of
from apps.federation.patience import persistently
from apps.federation.remote import Fault, TroubleError
from apps.federation.services import remote_agent_failed, remote_agent_used
from apps.federation.translation import Heard
from apps.tasks.errors import StaleClaimError, TaskEndedError, WrongStateError
from apps.tasks.services import (
    Claim,
    Outcome,
    event_from_worker,
    task_answer,
    task_finish,
    task_leave_question,
    task_progress,
    task_snooze,
)
from apps.tasks.states import State

if TYPE_CHECKING:
    from apps.tasks.models import Task

SESSION_LIMIT = 200


class Holding:
    """A claim on a task, with what joins it to the remote one. Everything raises StaleClaimError once it is void.

    `heard_seq` is the last thing said to the task that the agent has taken; `question` what the task asks at present.
    """

    link: RemoteTask
    """There once `open` has run."""

    def __init__(self, task: "Task", agent: RemoteAgent) -> None:
        assert task.claim_token is not None
        self.task = task
        self.agent = agent
        self.claim = Claim(task.workspace_id, task.id, task.claim_token)
        self.heard_seq = task.heard_seq
        self.question: Mapping[str, Any] | None = None
        self._writing = asyncio.Lock()
        self._told = 0
        """How many events were reported: by their numbers one that is written twice counts once."""

    async def open(self) -> None:
        """Find what joins the task with a remote one, or note what the first message will say."""
        references = references_of(self.task)
        self.link = await persistently(link_of, self.task, agent_name=self.agent.name, references=references)

    @property
    def is_begun(self) -> bool:
        """Whether we know what the task is called there."""
        return bool(self.link.remote_task_id)

    async def take(self, heard: Heard) -> None:
        """Write down what the agent has told."""
        await self._note_names(heard)
        events = list(heard.events)
        if heard.question is not None:
            events.append(("input_required", dict(heard.question)))
        elif heard.is_working and self.question is not None:
            await self._answered_elsewhere()
        await self.report(events)
        if heard.question is not None:
            self.question = heard.question

    async def report(self, events: list[tuple[str, dict[str, Any]]]) -> None:
        """Append (kind, data) events to the log."""
        if events:
            kept = [(kind, await self._with_files_kept(data)) for kind, data in events]
            reported = [event_from_worker(kind, data) for kind, data in kept]
            async with self._writing:
                seqs = list(range(self._told + 1, self._told + len(reported) + 1))
                self._told += len(reported)
                await persistently(task_progress, claim=self.claim, reported=reported, seqs=seqs)

    async def _with_files_kept(self, data: dict[str, Any]) -> dict[str, Any]:
        if not any("content" in part for part in data.get("parts", [])):
            return data
        return await persistently(
            keep_contents, self.task.workspace_id, self.task.id, data, by=f"remote agent {self.agent.name}"
        )

    async def _note_names(self, heard: Heard) -> None:
        """With the first word of the remote task: from now on whoever holds our task finds it."""
        link = self.link
        task_id, context_id = heard.task_id or link.remote_task_id, heard.context_id or link.remote_context_id
        if (task_id, context_id) == (link.remote_task_id, link.remote_context_id):
            return
        begins = not self.is_begun
        await persistently(link_note, link, remote_task_id=task_id, remote_context_id=context_id)
        if self._session_id:
            await self.report([("session", {"session_id": self._session_id, "agent": self.agent.name})])
        if begins:
            await persistently(remote_agent_used, agent_id=self.agent.id)

    @property
    def _session_id(self) -> str:
        context_id = self.link.remote_context_id
        return context_id if len(context_id) <= SESSION_LIMIT else ""

    async def _answered_elsewhere(self) -> None:
        """The agent goes on without our answer (credentials came to it, say): so does our task."""
        self.question = None
        words = "(The remote agent goes on by itself.)"
        try:
            task = await persistently(
                task_answer,
                workspace_id=self.task.workspace_id,
                task_id=self.task.id,
                message=words,
                by=self.agent.name,
            )
        except (WrongStateError, TaskEndedError):
            return  # somebody answers this moment, or it was cancelled: that is heard the usual way
        self.heard_seq = max(self.heard_seq, task.last_steering_seq)

    # Ends ------------------------------------------------------------------------------------------------------------

    async def finish(self, outcome: Outcome) -> None:
        """The remote task has ended, and so does ours."""
        told = replace(outcome, session_id=self._session_id, heard_seq=self.heard_seq)
        await persistently(task_finish, claim=self.claim, outcome=told)
        await persistently(link_close, task_id=self.task.id)

    async def give_up(self, trouble: TroubleError) -> None:
        """The attempt ends; what of the remote task may still work is seen to by the bridge."""
        await persistently(remote_agent_failed, agent_id=self.agent.id, error=str(trouble))
        if trouble.fault is Fault.BUSY:
            await persistently(task_snooze, claim=self.claim, seconds=trouble.retry_after, reason=str(trouble))
            return
        outcome = Outcome(
            status=State.FAILED,
            error=str(trouble),
            error_code=str(trouble.fault),
            retry=trouble.fault is Fault.UNREACHABLE,
            heard_seq=self.heard_seq,
        )
        task = await persistently(task_finish, claim=self.claim, outcome=outcome)
        if trouble.fault is Fault.LOST or (State(task.state) is State.FAILED and not self.is_begun):
            await persistently(link_close, task_id=self.task.id)

    async def hand_back(self) -> None:
        """Let another bridge go on: the question stays asked, other work is free at once."""
        with suppress(StaleClaimError):
            if self.question is not None:
                asked, auth = self.question["question"], bool(self.question["auth"])
                options = list(self.question.get("options", []))
                await in_database(task_leave_question, claim=self.claim, question=asked, options=options, auth=auth)
            else:
                await in_database(task_snooze, claim=self.claim, seconds=0.0, reason="the bridge stops")
