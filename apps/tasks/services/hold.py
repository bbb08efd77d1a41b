"""What the holder of a lease does while it works: claim, renew, report, ask. Every write carries the claim token."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.core.metrics import CLAIM_WAIT
from apps.sessions.services import OpenedSession, session_opened
from apps.tasks import events, reports
from apps.tasks.attachments import reported_files_check
from apps.tasks.errors import AlreadyClaimedError
from apps.tasks.events import Data, Event
from apps.tasks.forks import FORKED_FROM
from apps.tasks.models import Task
from apps.tasks.services import explain, statements
from apps.tasks.services.announce import announce, announce_all
from apps.tasks.services.statements import Claimer, Guard, Sql
from apps.tasks.states import HELD, State

CLAIM_LIMIT = 100
CLAIM_PAUSES = (0.001, 0.002, 0.004, 0.008, 0.016)
"""Seconds between looks when tasks wait and others hold their locks; a claim holds them for about a millisecond."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on a task: what each of its writes must show."""

    workspace_id: uuid.UUID
    task_id: uuid.UUID
    token: uuid.UUID

    def guard(self, states: frozenset[State], *, attempts_left: bool = False) -> Guard:
        """Only this claim may write, and only in one of `states`."""
        return Guard(states, workspace_id=self.workspace_id, claim_token=self.token, attempts_left=attempts_left)


def event_from_worker(kind: object, data: object) -> Event:
    """The event a worker reported, checked against its schema; UnknownEventError names what is wrong."""
    return reports.from_worker(kind, data)


def task_claim(*, claimer: Claimer, limit: int = 1, task_id: uuid.UUID | None = None) -> list[Task]:
    """Take up to `limit` tasks for a worker, best first; with `task_id` that one, or AlreadyClaimedError."""
    limit = max(1, min(limit, CLAIM_LIMIT))
    tasks = statements.claim(claimer=claimer, lease_seconds=settings.LEASE_SECONDS, limit=limit, task_id=task_id)
    if task_id is not None and not tasks:
        state = explain.state_of(claimer.workspace_id, task_id)
        raise AlreadyClaimedError(f"The task is {state}, or not for this worker now; it cannot be claimed.")
    tasks = tasks or _claim_again(claimer, limit)
    for task in tasks:  # a claim's time is the row's last change, by the same clock as `available_at`
        CLAIM_WAIT.observe((task.updated_at - task.available_at).total_seconds())
    return announce_all(tasks)


def _claim_again(claimer: Claimer, limit: int) -> list[Task]:
    """After an empty claim: a claim of several queues locks the best of each for the instant in which it chooses, so
    beside others it may find nothing free where something stays. Look again, a little later each time."""
    for pause in CLAIM_PAUSES:
        if not statements.peek(claimer=claimer, among=None, limit=1):
            return []
        time.sleep(pause)
        tasks = statements.claim(claimer=claimer, lease_seconds=settings.LEASE_SECONDS, limit=limit)
        if tasks:
            return tasks
    return []


def tasks_claimable(*, claimer: Claimer, among: Sequence[uuid.UUID] | None = None, limit: int = 100) -> list[Task]:
    """What a worker could claim now (of `among`, where given), best first: hints for its stream, no promise."""
    return statements.peek(claimer=claimer, among=among, limit=limit)


@dataclass(frozen=True, slots=True)
class Lease:
    """A renewed lease. `steering_seq` is the seq of the last event that its holder must hear of, or 0."""

    task_id: uuid.UUID
    expires_at: datetime
    steering_seq: int


def lease_renew(
    *, workspace_id: uuid.UUID, claims: Mapping[uuid.UUID, uuid.UUID], heard: Mapping[uuid.UUID, int] | None = None
) -> list[Lease]:
    """Renew those of `claims` (task id → token) that still hold; the others are missing from the answer.

    `heard` (task id → seq): the last steering event that the holder has acted on, so that the next holder, should
    this one vanish, does not hear it again.
    """
    if not claims:
        return []
    rows = statements.renew(
        workspace_id=workspace_id, claims=claims, heard=heard or {}, lease_seconds=settings.LEASE_SECONDS
    )
    return [Lease(*row) for row in rows]


def task_progress(*, claim: Claim, reported: Sequence[Event], seqs: Sequence[int] = ()) -> Task:
    """Append what a worker reports. Events whose `seqs` were written before are left out; a stale claim gets 409.

    A question (`input_required`) moves the task on, so the batch is cut there; all parts commit together.
    """
    reported_files_check(claim.workspace_id, claim.task_id, reported)
    parts = _parts(list(reported))
    if len(parts) <= 1:  # nearly always: one statement, which needs no transaction around it
        return _report(claim, list(reported), list(seqs))
    with transaction.atomic():
        for part in parts:
            task = _report(claim, part, list(seqs[: len(part)]))
            seqs = seqs[len(part) :]
    return task


def _parts(reported: list[Event]) -> list[list[Event]]:
    """Cut after each question, so that it comes last in its part."""
    parts: list[list[Event]] = []
    begin = 0
    for index, event in enumerate(reported):
        if event.kind == "input_required" or index == len(reported) - 1:
            parts.append(reported[begin : index + 1])
            begin = index + 1
    return parts


def _report(claim: Claim, reported: list[Event], seqs: list[int]) -> Task:
    changes: dict[str, Any] = {}
    for event in reported:
        if event.kind == "session":
            changes["session_id"] = _latest("session", "data::jsonb->>'session_id'", "t.session_id")
        elif event.kind == "usage":
            changes["usage"] = _latest("usage", "data::jsonb", "t.usage")
    if reported and reported[-1].kind == "input_required":
        asked = _asked(reported[-1].data)
        reported = [*reported[:-1], asked]
        changes["state"] = _latest("asked", "data::jsonb->>'state'", "t.state")
    task = statements.append(
        task_id=claim.task_id, guard=claim.guard(HELD), events=reported, changes=changes, seqs=seqs, light=True
    )
    if task is None:
        raise explain.stale_claim(claim.workspace_id, claim.task_id)
    _note_sessions(task, reported)
    return announce(task)


def _note_sessions(task: Task, reported: Sequence[Event]) -> None:
    """What opened a session, and where it is kept, is known from then on: routing asks for it."""
    told = [event.data for event in reported if event.kind == "session"]
    if not told or task.codebase_id is None:
        return
    title, metadata = Task.objects.values_list("title", "metadata").get(id=task.id)
    for data in told:
        forked_from = metadata.get(FORKED_FROM, "")
        opened = OpenedSession(
            session_id=data["session_id"],
            worker_id=task.worker_id,
            source=data.get("agent", ""),
            title=title,
            forked_from=forked_from if forked_from != data["session_id"] else "",
        )
        session_opened(workspace_id=task.workspace_id, codebase_id=task.codebase_id, opened=opened)


def _latest(kind: str, expression: str, otherwise: str) -> Sql:
    """The value in the last *new* event of `kind`: a batch that was sent before must not turn the row back."""
    return Sql(
        f"COALESCE((SELECT {expression} FROM fresh WHERE kind = '{kind}' ORDER BY n DESC LIMIT 1), {otherwise})",
        {},
    )


def _asked(data: Data) -> Event:
    state = State.AUTH_REQUIRED if data.get("auth") else State.INPUT_REQUIRED
    return events.asked(
        state=state,
        question=data["question"],
        options=data.get("options", []),
        call_id=data.get("call_id", ""),
        diff=data.get("diff", ""),
    )
