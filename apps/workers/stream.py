"""A worker's stream: what it could claim, what it must stop, what it must hear. Hints; claim and heartbeat decide."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.sse import KEEPALIVE, EventStream, event
from apps.core.wakeups import Waiter, WakeUp, hub
from apps.tasks.selectors import is_terminal, placed_codebase, steering_after, task_get
from apps.tasks.services import Claimer, tasks_claimable
from apps.workers.reading import invalid
from apps.workers.selectors import claimer_of, worker_get
from apps.workers.services import steering_message, worker_seen

if TYPE_CHECKING:
    from apps.tasks.models import Task

POLL_SECONDS = 2.0
NAMES_LIMIT = 1000


async def tasks_stream(request: Request, principal: Principal) -> Response:
    """GET /v1/worker/tasks/stream: routed by headers or query, replays what is pending, then tells what is new."""
    claimer = await in_database(_claimer, request, principal)
    return EventStream(frames(claimer))


def _claimer(request: Request, principal: Principal) -> Claimer:
    """The registered worker's claimer, widened by what it says on connecting."""
    said = request.headers
    worker_id = said.get("x-worker-id") or request.query_params.get("worker_id", "")
    if not worker_id:
        raise invalid("worker_id", "Name the worker, by query or X-Worker-ID.")
    worker_seen(workspace_id=principal.workspace_id, worker_id=worker_id)
    role = said.get("x-agent-name") or request.query_params.get("agent_name", "")
    worker = worker_get(workspace_id=principal.workspace_id, worker_id=worker_id)
    claimer = claimer_of(worker, roles=[role])
    return replace(
        claimer,
        queues=sorted({*claimer.queues, *_names(said.get("x-codebases"))}),
        capabilities=sorted({*claimer.capabilities, *_names(said.get("x-capabilities"))}),
    )


def _names(header: str | None) -> list[str]:
    return [name.strip() for name in (header or "").split(",") if name.strip()][:NAMES_LIMIT]


async def frames(claimer: Claimer) -> AsyncGenerator[bytes]:
    """The worker's events, for ever."""
    with hub().waiting(f"workspace:{claimer.workspace_id}") as waiter:
        yield event("connected", {"worker_id": claimer.worker_id, "queues": list(claimer.queues)})
        announced: dict[uuid.UUID, int] = {}
        waiting = await in_database(tasks_claimable, claimer=claimer)
        while True:
            for task in waiting:
                if announced.get(task.id) != task.last_seq:
                    yield available(task)
            announced.update({task.id: task.last_seq for task in waiting})
            hints = await _relevant(waiter, claimer)
            for frame in await in_database(_news, claimer, [hint for hint in hints if hint.worker]):
                yield frame
            if hints:
                among = [uuid.UUID(hint.task) for hint in hints if hint.queue]
                waiting = await in_database(tasks_claimable, claimer=claimer, among=among) if among else []
            else:
                yield KEEPALIVE
                waiting = await in_database(tasks_claimable, claimer=claimer)
                announced = {task.id: announced[task.id] for task in waiting if task.id in announced}


async def _relevant(waiter: Waiter, claimer: Claimer) -> list[WakeUp]:
    """The next hints that concern this worker; an empty list after the poll interval."""
    loop = asyncio.get_running_loop()
    until = loop.time() + POLL_SECONDS
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
