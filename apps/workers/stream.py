"""A worker's stream: what it could claim, what it must stop, what it must hear. Hints; claim and heartbeat decide."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from apps.accounts.gate import credentials_of
from apps.accounts.permissions import Scope
from apps.accounts.permits import permitted, room_for_stream
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.sse import KEEPALIVE, EventStream, event
from apps.core.waiter import Waiter, WakeUp
from apps.core.wakeups import hub
from apps.tasks.selectors import is_terminal, placed_codebase, steering_after, task_get
from apps.tasks.services import Claimer, tasks_claimable
from apps.workers.bounds import allowed, check_acts_as
from apps.workers.reading import invalid
from apps.workers.selectors import claimer_get
from apps.workers.services import steering_message, worker_seen

if TYPE_CHECKING:
    from apps.tasks.models import Task

POLL_SECONDS = 2.0
NAMES_LIMIT = 1000


async def tasks_stream(request: Request, principal: Principal) -> Response:
    """GET /v1/worker/tasks/stream: routed by headers or query, replays what is pending, then tells what is new."""
    listener = _listener(request, principal)
    await in_database(check_acts_as, principal, listener.worker_id)
    await in_database(worker_seen, workspace_id=listener.workspace_id, worker_id=listener.worker_id)
    credentials = credentials_of(request)
    await room_for_stream(credentials)
    return EventStream(frames(listener), while_allowed=permitted(credentials, Scope.WORKER))


@dataclass(frozen=True, slots=True)
class Listener:
    """A worker at the other end of a stream, and what it said on connecting beside its registration."""

    workspace_id: uuid.UUID
    worker_id: str
    role: str
    queues: Sequence[str]
    capabilities: Sequence[str]

    def claimer(self) -> Claimer:
        """What it may take now: registration and codebases may have changed since it connected.

        A worker that drains may take nothing, so it is told of nothing to take.
        """
        claimer, drains, _ = claimer_get(workspace_id=self.workspace_id, worker_id=self.worker_id, roles=[self.role])
        return replace(
            claimer,
            queues=[] if drains else sorted({*claimer.queues, *self.queues}),
            capabilities=sorted({*claimer.capabilities, *self.capabilities}),
        )


def _listener(request: Request, principal: Principal) -> Listener:
    said = request.headers
    worker_id = said.get("x-worker-id") or request.query_params.get("worker_id", "")
    if not worker_id:
        raise invalid("worker_id", "Name the worker, by query or X-Worker-ID.")
    return Listener(
        workspace_id=principal.workspace_id,
        worker_id=worker_id,
        role=said.get("x-agent-name") or request.query_params.get("agent_name", ""),
        queues=allowed(_names(said.get("x-codebases")), principal.codebases),
        capabilities=_names(said.get("x-capabilities")),
    )


def _names(header: str | None) -> list[str]:
    return [name.strip() for name in (header or "").split(",") if name.strip()][:NAMES_LIMIT]


async def frames(listener: Listener) -> AsyncGenerator[bytes]:
    """The worker's events, for ever: at once when a wake-up tells of them, else with the next look."""
    with hub().waiting(f"workspace:{listener.workspace_id}") as waiter:
        claimer, waiting = await in_database(_look, listener)
        yield event("connected", {"worker_id": claimer.worker_id, "queues": list(claimer.queues)})
        announced: dict[uuid.UUID, int] = {}
        loop = asyncio.get_running_loop()
        next_look = loop.time() + POLL_SECONDS
        while True:
            for task in waiting:
                if announced.get(task.id) != task.last_seq:
                    yield available(task)
            announced.update({task.id: task.last_seq for task in waiting})
            hints = await _relevant(waiter, claimer, next_look)
            if hints:
                news, waiting = await in_database(_hinted, claimer, hints)
                for frame in news:
                    yield frame
            else:
                yield KEEPALIVE
                claimer, waiting = await in_database(_look, listener)
                next_look = loop.time() + POLL_SECONDS
                announced = {task.id: announced[task.id] for task in waiting if task.id in announced}


def _look(listener: Listener) -> tuple[Claimer, list["Task"]]:
    """What the worker could claim now, as (what it may take, the tasks)."""
    claimer = listener.claimer()
    return claimer, tasks_claimable(claimer=claimer)


def _hinted(claimer: Claimer, hints: Sequence[WakeUp]) -> tuple[list[bytes], list["Task"]]:
    """What wake-ups tell of, as (frames of news, the tasks that the worker could claim now)."""
    among = [uuid.UUID(hint.task) for hint in hints if hint.queue]
    waiting = tasks_claimable(claimer=claimer, among=among) if among else []
    return _news(claimer, [hint for hint in hints if hint.worker == claimer.worker_id]), waiting


async def _relevant(waiter: Waiter, claimer: Claimer, until: float) -> list[WakeUp]:
    """The next hints that concern this worker; an empty list once the loop's clock shows `until`."""
    loop = asyncio.get_running_loop()
    while (left := until - loop.time()) > 0:
        hints = await waiter.wait(left)
        mine = [hint for hint in hints if hint.queue in claimer.queues or hint.worker == claimer.worker_id]
        if mine:
            return mine
    return []


def available(task: "Task") -> bytes:
    """`task_available`, as the contract has it."""
    facts: dict[str, Any] = {
        "task_id": str(task.id),
        "title": task.title,
        "codebase_id": placed_codebase(task),
        "priority": task.priority,
        "agent_type": task.agent_type,
        "model": task.model or None,
    }
    return event("task_available", facts)


def _news(claimer: Claimer, hints: Sequence[WakeUp]) -> list[bytes]:
    """Cancels and messages for the tasks that this worker holds, or held until now."""
    found: list[bytes] = []
    for hint in hints:
        task = task_get(workspace_id=claimer.workspace_id, task_id=hint.task)
        if is_terminal(task):
            found.append(event("cancel", {"task_id": hint.task, "reason": task.error or str(task.state)}))
            continue
        said = steering_after(task.id, hint.seq - 1)
        found.extend(event("message", steering_message(task.id, one)) for one in said)
    return found
