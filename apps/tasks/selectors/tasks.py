"""Reading single tasks and lists of them. Every query is bound to a workspace; nothing here writes."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet, prefetch_related_objects

from apps.codebases.models import Codebase
from apps.core.ids import parse_id
from apps.core.prepared import execute
from apps.tasks.errors import TaskNotFoundError
from apps.tasks.models import GLOBAL_QUEUE, PENDING_QUEUE, Task, TaskEvent, WorkingTree
from apps.tasks.rows import SELECTED, as_task
from apps.tasks.states import ASKING, HELD, TERMINAL, State


def tasks_of(workspace_id: uuid.UUID) -> QuerySet[Task]:
    """All tasks of a workspace, newest first."""
    return Task.objects.filter(workspace_id=workspace_id)


_TASK = f"SELECT {SELECTED} FROM tasks_task t WHERE t.id = %(id)s AND t.workspace_id = %(workspace_id)s"


def task_get(*, workspace_id: uuid.UUID, task_id: object) -> Task:
    """The task, or TaskNotFoundError for anything that is no task of this workspace."""
    parsed = parse_id(task_id)
    rows = execute(_TASK, {"workspace_id": workspace_id, "id": parsed}) if parsed else []
    if not rows:
        raise TaskNotFoundError("There is no such task.")
    return as_task(rows[0])


_TASK_AND_TREE = f"""
SELECT {SELECTED}, (
    SELECT w.id FROM tasks_workingtree w WHERE w.workspace_id = t.workspace_id AND w.task_ids @> ARRAY[t.id]
    ORDER BY w.updated_at DESC, w.id DESC LIMIT 1)
FROM tasks_task t WHERE t.id = %(id)s AND t.workspace_id = %(workspace_id)s"""


def task_and_tree(*, workspace_id: uuid.UUID, task_id: object) -> tuple[Task, WorkingTree | None]:
    """As `task_get`, with the tree in which the task has worked: one statement more for the few that have one."""
    parsed = parse_id(task_id)
    for *row, tree_id in execute(_TASK_AND_TREE, {"workspace_id": workspace_id, "id": parsed}) if parsed else ():
        return as_task(row), None if tree_id is None else WorkingTree.objects.filter(pk=tree_id).first()
    raise TaskNotFoundError("There is no such task.")


_NAMED = f"""
SELECT {SELECTED} FROM unnest(%(workspaces)s::uuid[], %(ids)s::uuid[]) AS named(workspace_id, id)
JOIN tasks_task t ON t.id = named.id AND t.workspace_id = named.workspace_id"""


def tasks_named(named: Collection[tuple[uuid.UUID, uuid.UUID]]) -> list[Task]:
    """The tasks that there are of (workspace, task)."""
    places = {"workspaces": [str(one) for one, _ in named], "ids": [str(one) for _, one in named]}
    return [as_task(row) for row in execute(_NAMED, places)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """What a list of tasks is narrowed to; empty values narrow nothing.

    `q` is sought in title and prompt of the latest LOOKED_AT that the others leave.
    """

    status: str = ""
    codebase_id: str = ""
    worker_id: str = ""
    agent_type: str = ""
    context_id: str = ""
    created_by: str = ""
    q: str = ""


def tasks_filtered(workspace_id: uuid.UUID, wanted: TaskFilter) -> QuerySet[Task]:
    """The tasks of a workspace that match `wanted`, newest first."""
    found = tasks_of(workspace_id)
    if wanted.status:
        found = found.filter(state=wanted.status)
    if wanted.codebase_id in (GLOBAL_QUEUE, PENDING_QUEUE):
        found = found.filter(queue=wanted.codebase_id)
    elif wanted.codebase_id:
        found = found.filter(codebase_id=wanted.codebase_id)
    for name in ("worker_id", "agent_type", "context_id", "created_by"):
        value = getattr(wanted, name)
        if value:
            found = found.filter(**{name: value})
    return found.filter(pk__in=_with_words(found, wanted.q)) if wanted.q else found


LOOKED_AT = 20_000
"""Tasks whose texts are looked through for words, the latest: no index holds them."""


def _with_words(found: QuerySet[Task], words: str) -> list[uuid.UUID]:
    """Which of the latest LOOKED_AT that were found so far hold `words` in title or prompt, whatever their case."""
    latest, params = found.values("id", "title", "prompt")[:LOOKED_AT].query.sql_with_params()
    like = "%" + words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM ({latest}) t WHERE title ILIKE %s OR prompt ILIKE %s", [*params, like, like])
        return [task_id for (task_id,) in cursor.fetchall()]


def current_task(*, workspace_id: uuid.UUID, codebase_id: str) -> Task | None:
    """The task that a codebase's agent works on now (the newest, where several run)."""
    states = [str(state) for state in HELD]
    return tasks_of(workspace_id).filter(codebase_id=codebase_id, state__in=states).order_by("-started_at").first()


def is_terminal(task: Task) -> bool:
    """Whether the task has ended."""
    return State(task.state) in TERMINAL


def is_asking(task: Task) -> bool:
    """Whether the task waits for a person's answer."""
    return State(task.state) in ASKING


def placed_codebase(task: Task) -> str:
    """The codebase as clients see it: its id, `global` or `__pending__`."""
    return task.codebase_id or task.queue


def task_facts(task: Task) -> dict[str, Any]:
    """A task as every face shows it (contract: GET /tasks/{id}); times are datetimes, absent values null."""
    return {
        "id": str(task.id),
        "codebase_id": placed_codebase(task),
        "title": task.title,
        "prompt": task.prompt,
        "agent_type": task.agent_type,
        "model": task.model or None,
        "status": task.state,
        "priority": task.priority,
        "requires": task.requires,
        "target_agent": task.target_agent or None,
        "concurrency_key": task.concurrency_key or None,
        "attempt": task.attempt,
        "max_attempts": task.max_attempts,
        "worker_id": task.worker_id or None,
        "session_id": task.session_id or None,
        "context_id": task.context_id or None,
        "result": task.result or None,
        "error": task.error or None,
        "error_code": task.error_code or None,
        "usage": task.usage,
        "metadata": task.metadata,
        "created_by": task.created_by,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "started_at": task.started_at,
        "completed_at": task.completed_at,
        "deadline_at": task.deadline_at,
        "last_seq": task.last_seq,
    }


def steering_after(task_id: uuid.UUID, seq: int) -> list[Mapping[str, Any]]:
    """What the holder of a task must hear since `seq`: messages, interrupts and answers, oldest first."""
    rows = TaskEvent.objects.filter(task_id=task_id, seq__gt=seq, kind__in=["message", "answered"]).order_by("seq")
    return [{"seq": row.seq, "kind": row.kind, **row.data} for row in rows]


def answer_for_holder(task: Task) -> dict[str, Any] | None:
    """What a person has answered to the question that an earlier attempt has left, with the question; None where the
    latest question has no answer that is still to be heard."""
    if task.last_steering_seq <= task.heard_seq:
        return None
    latest = list(TaskEvent.objects.filter(task_id=task.id, kind__in=["asked", "answered"]).order_by("-seq")[:2])
    if [event.kind for event in latest] != ["answered", "asked"] or latest[0].seq <= task.heard_seq:
        return None
    answer, asked = latest
    said = {name: answer.data[name] for name in ("message", "data", "by")}
    return {"seq": answer.seq, **said, **{name: asked.data[name] for name in ("question", "options", "call_id")}}


def held_claims(
    *, workspace_id: uuid.UUID, worker_id: str, task_id: uuid.UUID | None = None
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """(task, claim token) of what a worker holds: for workers of before, which send no token themselves."""
    held = tasks_of(workspace_id).filter(
        worker_id=worker_id, state__in=[str(state) for state in HELD], claim_token__isnull=False
    )
    if task_id is not None:
        held = held.filter(id=task_id)
    return [(task, token) for task, token in held.values_list("id", "claim_token") if token is not None]


def with_codebases(tasks: Sequence[Task]) -> Sequence[Task]:
    """The tasks, with all their codebases read by one query."""
    prefetch_related_objects(tasks, "codebase")
    return tasks


def codebase_of(task: Task) -> Codebase | None:
    """The codebase that a task is for; one query where there is one and `with_codebases` has not read it."""
    return task.codebase


def output_chunks(task_id: uuid.UUID, *, after_seq: int, limit: int) -> list[dict[str, Any]]:
    """What the agent of a task has said, in order: `{seq, type, content, created_at}`."""
    rows = TaskEvent.objects.filter(task_id=task_id, seq__gt=after_seq, kind="output").order_by("seq")
    return [
        {
            "seq": row.seq,
            "type": row.data.get("type", "text"),
            "content": row.data["content"],
            "created_at": row.created_at,
        }
        for row in rows[:limit]
    ]


def why_lost(workspace_id: uuid.UUID, task_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """For claims that hold no longer, the reason as their holder should be told."""
    if not task_ids:
        return {}
    rows = tasks_of(workspace_id).filter(id__in=task_ids).values_list("id", "state", "error")
    found = {task_id: error or state if State(state) in TERMINAL else _TAKEN for task_id, state, error in rows}
    return {task_id: found.get(task_id, "there is no such task any more") for task_id in task_ids}


_TAKEN = "the claim does not hold any more: the task was given back or taken over"
