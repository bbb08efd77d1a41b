"""A task's log in parts of equal length, so that a page shows some of a long one and knows where the others belong.

Part `n` holds the blocks that begin with the events n*PART+1 to (n+1)*PART. A tool call and its result are shown as one
though a part's end lies between them; text is torn there.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from apps.core.blocks import Block
from apps.tasks import log
from apps.tasks.admin.transcript import transcript
from apps.tasks.log import LogEvent

PART = 200
"""Events. Compaction may have left fewer."""

TOOLS = frozenset({"tool_use", "tool_result"})


@dataclass(frozen=True, slots=True)
class Part:
    """`joins_before`: something in it completes a block of the part before."""

    number: int
    blocks: list[Block]
    joins_before: bool = False


def number_of(seq: int) -> int:
    """The part in which an event is."""
    return max(0, seq - 1) // PART


def part(task_id: uuid.UUID, number: int) -> Part:
    """One part of a log; without blocks where the log has none there."""
    first = number * PART
    events = between(task_id, first, first + PART)
    before = _tools(task_id, first - PART, first) if number and _has_lone_result(events) else []
    after = _tools(task_id, first + PART, first + 2 * PART) if _has_open_call(events) else []
    blocks = transcript([*before, *events, *after])
    joins = any(block.seq <= first < block.last for block in blocks)
    return Part(number, [block for block in blocks if first < block.seq <= first + PART], joins)


def between(task_id: uuid.UUID, after: int, upto: int) -> list[LogEvent]:
    """The events after one seq and up to another, all of them."""
    return list(_pages(task_id, after, upto))


def _pages(task_id: uuid.UUID, after: int, upto: int) -> Iterator[LogEvent]:
    while after < upto and (events := log.read(task_id, after, upto - after)):
        yield from (event for event in events if event.seq <= upto)
        after = events[-1].seq


def _tools(task_id: uuid.UUID, after: int, upto: int) -> list[LogEvent]:
    return [event for event in between(task_id, max(0, after), upto) if event.kind in TOOLS]


def _calls(events: list[LogEvent], kind: str) -> list[str]:
    return [event.data.get("call_id", "") for event in events if event.kind == kind]


def _has_lone_result(events: list[LogEvent]) -> bool:
    uses = _calls(events, "tool_use")
    return any(call not in uses for call in _calls(events, "tool_result"))


def _has_open_call(events: list[LogEvent]) -> bool:
    results = _calls(events, "tool_result")
    return any(call not in results for call in _calls(events, "tool_use"))
