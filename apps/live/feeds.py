"""What can be watched, and from where: one feed each for SSE and WebSocket alike.

A feed is the pages of a log and how they are shown: as batches of frames.
"""

import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.codebases.selectors import codebase_get
from apps.core.errors import MalformedError
from apps.live.projection import Batch, Frame, codebase_batch, raw_batch, task_batch
from apps.tasks import log
from apps.tasks.selectors import current_task, task_get

BEGINNINGS = ("now", "start")


@dataclass(frozen=True, slots=True)
class Feed:
    """What a reader gets: each page of a log (empty: silence) as a batch; `first`, where there is one, before them."""

    pages: AsyncGenerator[Any]
    batch_of: Callable[[Any], Batch]
    first: Batch | None = None


def task_place(workspace_id: uuid.UUID, task_id: str, last_id: str) -> tuple[uuid.UUID, int]:
    """(task, seq to go on after) for a reader of one task; its ids are the seqs of its log.

    NotFoundError for another workspace's task, MalformedError for an id that this task's log never had.
    """
    task = task_get(workspace_id=workspace_id, task_id=task_id)
    if not last_id:
        return task.id, 0
    if not (last_id.isascii() and last_id.isdecimal() and int(last_id) <= task.last_seq):
        raise _bad_id(last_id)
    return task.id, int(last_id)


def task_feed(task_id: uuid.UUID, after_seq: int) -> Feed:
    """Everything that happens to one task, until it ends."""
    pages = log.follow(task_id, after_seq, idle_seconds=settings.SSE_KEEPALIVE_SECONDS)
    return Feed(pages, lambda page: task_batch(*page))


def cursor_of(last_id: str, beginning: str = "now") -> log.Cursor:
    """Where a reader of many tasks begins: after `last_id`, else at the `start` of the log, else now."""
    if beginning not in BEGINNINGS:
        message = f"Give one of {', '.join(BEGINNINGS)}."
        raise MalformedError(f"from: {message}", errors={"from": [message]})
    if not last_id:
        return log.now_cursor() if beginning == "now" else log.Cursor(0)
    cursor = log.Cursor.parse(last_id)
    if cursor is None or not log.is_past(cursor):
        raise _bad_id(last_id)
    return cursor


def workspace_feed(workspace_id: uuid.UUID, cursor: log.Cursor) -> Feed:
    """Everything that happens to any task of the workspace, as the log has it."""
    pages = log.follow_workspace(workspace_id, cursor, idle_seconds=settings.SSE_KEEPALIVE_SECONDS)
    return Feed(pages, lambda page: raw_batch(*page) if page else Batch([], str(page.resume)))


@dataclass(frozen=True, slots=True)
class CodebasePlace:
    """Where a reader of a codebase begins, and the frame that tells a new one how things are."""

    codebase_id: str
    cursor: log.Cursor
    present: Frame | None


def codebase_place(workspace_id: uuid.UUID, codebase_id: str, last_id: str, beginning: str) -> CodebasePlace:
    """NotFoundError for another workspace's codebase, MalformedError for an id that is no place in its log."""
    codebase = codebase_get(workspace_id=workspace_id, codebase_id=codebase_id)
    cursor = cursor_of(last_id, beginning)
    is_new = not last_id and beginning == "now"
    return CodebasePlace(codebase.id, cursor, _present(workspace_id, codebase.id, cursor) if is_new else None)


def _present(workspace_id: uuid.UUID, codebase_id: str, cursor: log.Cursor) -> Frame:
    """Read after the cursor was taken: what changes in between is told again, never missed."""
    task = current_task(workspace_id=workspace_id, codebase_id=codebase_id)
    data = {
        "status": task.state if task else "idle",
        "message": task.title if task else "No task is running.",
        "codebase_id": codebase_id,
        "task_id": str(task.id) if task else None,
        "seq": task.last_seq if task else 0,
        "session_id": (task.session_id or None) if task else None,
    }
    return Frame(str(cursor), "status", data)


def codebase_feed(workspace_id: uuid.UUID, place: CodebasePlace) -> Feed:
    """What happens to the tasks of one codebase, in the contract's shapes."""
    pages = log.follow_workspace(
        workspace_id, place.cursor, codebase_id=place.codebase_id, idle_seconds=settings.SSE_KEEPALIVE_SECONDS
    )
    first = None if place.present is None else Batch([place.present])
    return Feed(pages, lambda page: codebase_batch(*page) if page else Batch([], str(page.resume)), first)


def _bad_id(last_id: str) -> MalformedError:
    return MalformedError(f"Last-Event-ID {last_id!r} is no place in this stream.", code="bad_last_event_id")
