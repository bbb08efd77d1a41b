"""Streams of a task's events: what message/stream and resubscribing send, from any place in the log.

A stream opens with the task as it is; one that resumes (`Last-Event-ID`) opens with what came after. The id of an
event is the seq of the log event that it came from; where a log event gives several, `seq.n` counts those before the
last, so a client that is cut off between two of them gets the rest.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from a2a.utils.errors import InvalidParamsError, UnsupportedOperationError
from django.conf import settings

from apps.a2a.delivery import deliver
from apps.a2a.files import holds_files, with_files
from apps.a2a.incoming import Incoming
from apps.a2a.looking import told
from apps.a2a.projection import ENDINGS, task_view
from apps.a2a.unfolding import Unfolding
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.tasks import log
from apps.tasks.log import LogEvent
from apps.tasks.selectors import is_terminal, task_get
from apps.tasks.states import State

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where a client has heard: the log events before `seq`, and `parts` stream events of that one.

    `parts` None: all of it.
    """

    seq: int
    parts: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """The place in a `Last-Event-ID`; None for an empty one."""
        if not text:
            return None
        seq, dot, part = text.partition(".")
        if not (seq.isascii() and seq.isdigit() and len(seq) < 19) or (dot and part not in _PARTS):
            raise InvalidParamsError("The Last-Event-ID is none of ours.")
        return cls(int(seq), int(part) + 1 if dot else None)

    @property
    def heard_seq(self) -> int:
        """The last log event that was heard whole."""
        return self.seq if self.parts is None else self.seq - 1


_PARTS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a stream, in 1.0's spelling, and the id by which a client resumes after it."""

    id: str
    event: Json


class TaskStream:
    """The events of one task from `place` (None: from the task as it is now)."""

    def __init__(self, task: "Task", heard: list[LogEvent], place: Place | None, base_url: str) -> None:
        self.task = task
        self.base_url = base_url
        self.place = place
        self._heard = heard

    async def pages(self) -> AsyncGenerator[list[Told]]:
        """Stream events as they come; an empty list marks silence. Ends with the task, or when it asks."""
        async with aclosing(self._pages()) as pages:
            async for page in pages:
                yield [await self._whole(told) for told in page]

    async def _whole(self, told: Told) -> Told:
        """The event with the files that it names."""
        if not holds_files(told.event):
            return told
        workspace_id = self.task.workspace_id
        event = await in_database(with_files, told.event, workspace_id=workspace_id, base_url=self.base_url)
        return Told(told.id, event)

    async def _pages(self) -> AsyncGenerator[list[Told]]:
        place = self.place or Place(self.task.last_seq)
        unfolding = Unfolding(self.task, [line for line in self._heard if line.seq <= place.heard_seq])
        if self.place is None:
            yield [Told(str(place.seq), {"task": task_view(self.task, self._heard)})]
            self._heard = []
            if is_terminal(self.task):
                return
        async with aclosing(self._follow(place)) as pages:
            async for page in pages:
                news = [told for line in page for told in _unfold(unfolding, line, place)]
                if news or not page:
                    yield news
                if any(_is_last(line) for line in page):
                    return

    def _follow(self, place: Place) -> AsyncGenerator[list[LogEvent]]:
        return log.follow(self.task.id, place.heard_seq, idle_seconds=settings.SSE_KEEPALIVE_SECONDS)


def _unfold(unfolding: Unfolding, line: LogEvent, place: Place) -> list[Told]:
    events = unfolding.events(line)
    last = len(events) - 1
    told_now = [
        Told(str(line.seq) if number == last else f"{line.seq}.{number}", event) for number, event in enumerate(events)
    ]
    return told_now[place.parts or 0 :] if line.seq == place.seq else told_now


def _is_last(line: LogEvent) -> bool:
    """A stream ends with its task or a question, but stays open for credentials that come another way (1.0 §7.6.1)."""
    return line.kind in ENDINGS or (line.kind == "asked" and line.data["state"] == State.INPUT_REQUIRED)


async def stream_of_message(
    principal: Principal, incoming: Incoming, place: Place | None, *, base_url: str
) -> TaskStream:
    """Deliver the message and stream what follows; the same message sent again resumes at `place`."""
    return await in_database(_of_message, principal, incoming, place, base_url)


async def stream_of_task(principal: Principal, task_id: str, place: Place | None, *, base_url: str) -> TaskStream:
    """Stream a task that is under way. One that has ended refuses (1.0 §3.1.6), but for a client that resumes."""
    return await in_database(_of_task, principal, task_id, place, base_url)


def _of_message(principal: Principal, incoming: Incoming, place: Place | None, base_url: str) -> TaskStream:
    task = deliver(principal, incoming)
    return TaskStream(task, told(task, whole=True), _within(task, place), base_url)


def _of_task(principal: Principal, task_id: str, place: Place | None, base_url: str) -> TaskStream:
    task = task_get(workspace_id=principal.workspace_id, task_id=task_id)
    place = _within(task, place)
    if place is None and is_terminal(task):
        raise UnsupportedOperationError(f"The task is {task.state}; nothing more will come.")
    return TaskStream(task, told(task, whole=True), place, base_url)


def _within(task: "Task", place: Place | None) -> Place | None:
    """A place beyond the log's end is none of this task's: the client begins anew."""
    return place if place is not None and place.seq <= task.last_seq else None
