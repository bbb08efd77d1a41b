"""Waiting for what happens to one task, for a while: no thread and no connection is held meanwhile."""

import asyncio
import uuid
from contextlib import aclosing

from apps.core.stopping import stopping
from apps.tasks.log.entries import TERMINAL_KINDS
from apps.tasks.log.following import follow

SETTLING = TERMINAL_KINDS | {"asked"}
"""Kinds of events after which a task has ended or needs a person."""


async def settled(task_id: uuid.UUID, after_seq: int, *, seconds: float) -> None:
    """Until the task settles after `after_seq`, `seconds` have passed, or this process is about to end."""
    await _wait(task_id, after_seq, frozenset(SETTLING), seconds)


async def grown(task_id: uuid.UUID, after_seq: int, *, seconds: float) -> None:
    """Until the log has anything after `after_seq`, or as above; at once where the task has ended."""
    await _wait(task_id, after_seq, None, seconds)


async def _wait(task_id: uuid.UUID, after_seq: int, kinds: frozenset[str] | None, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds) as until:
            with stopping.calling(lambda: _end(until)):
                await _until(task_id, after_seq, kinds)
    except TimeoutError:
        if not until.expired():
            raise


def _end(until: asyncio.Timeout) -> None:
    if not until.expired():
        until.reschedule(0)


async def _until(task_id: uuid.UUID, after_seq: int, kinds: frozenset[str] | None) -> None:
    async with aclosing(follow(task_id, after_seq)) as pages:
        async for page in pages:
            if any(kinds is None or line.kind in kinds for line in page):
                return
