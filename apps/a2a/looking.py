"""Looking at tasks: what a view is made of, read for as many tasks at once as are asked for."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from apps.a2a.files import holds_files
from apps.a2a.projection import TOLD, task_view
from apps.core import jsontext
from apps.core.gathering import Gathering
from apps.core.ids import parse_id
from apps.tasks.errors import TaskNotFoundError
from apps.tasks.log import LogEvent
from apps.tasks.log.extract import read_kinds_of, tasks_with_events
from apps.tasks.selectors import is_terminal
from apps.workers.waiting import why_each_waits

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

MADE = frozenset({"output", "artifact"})
"""Kinds that only artifacts are made of."""
PASSING = frozenset({"output", "status"})
"""Kinds that tell nothing more of a task that has ended with a result."""
TOLD_OF_RESULT = tuple(kind for kind in TOLD if kind not in PASSING)


class View(dict[str, Any]):
    """A task's view, shared by those who ask at once: nobody changes it, and what is made of it is made once."""

    def __init__(self, view: Json) -> None:
        super().__init__(view)
        self.holds_files = holds_files(view)
        self._told: dict[Callable[[Json], Json], orjson.Fragment] = {}

    def told(self, spell: Callable[[Json], Json]) -> orjson.Fragment:
        """The view as JSON, in the words of `spell`."""
        if spell not in self._told:
            self._told[spell] = orjson.Fragment(jsontext.dumps(spell(self)))
        return self._told[spell]


@dataclass(slots=True)
class Look:
    """A task with what its view is made of."""

    task: "Task"
    lines: Sequence[LogEvent]
    waits: Json
    _views: dict[int | None, View] = field(default_factory=dict)

    def view(self, history_length: int | None) -> View:
        if history_length not in self._views:
            view = task_view(self.task, self.lines, history_length=history_length, waits=self.waits)
            self._views[history_length] = View(view)
        return self._views[history_length]


Named = tuple[uuid.UUID, uuid.UUID]
"""(workspace, task)."""


def look_at(named: Collection[Named]) -> dict[Named, Look]:
    """The tasks that are there, each in its workspace."""
    found = tasks_with_events(named, kinds=TOLD, kinds_of_result=TOLD_OF_RESULT)
    reasons = why_each_waits([task for task, _ in found if task.state == "pending"])
    looks = {}
    for task, lines in found:
        reason = reasons.get(task.id)
        waits = {"whyPending": reason.text, "whyPendingCode": reason.code} if reason else {}
        looks[task.workspace_id, task.id] = Look(task, lines, waits)
    return looks


def told_of(tasks: Collection["Task"], *, with_artifacts: bool = True) -> Mapping[uuid.UUID, list[LogEvent]]:
    """The events that the tasks' views are made of. Tasks to which nothing has happened yet need none."""
    kinds = set(TOLD) if with_artifacts else set(TOLD) - MADE
    short = [task.id for task in tasks if is_terminal(task) and (task.result or not with_artifacts)]
    full = [task.id for task in tasks if task.last_seq > 1 and task.id not in set(short)]
    return read_kinds_of(short, kinds - PASSING) | read_kinds_of(full, kinds)


def told(task: "Task", *, whole: bool = False) -> list[LogEvent]:
    """The same of one task; `whole`: with all that led to the result of one that has ended."""
    found = read_kinds_of([task.id] if task.last_seq > 1 else [], TOLD) if whole else told_of([task])
    return found.get(task.id, [])


_looks = Gathering(look_at)


async def task_look(workspace_id: uuid.UUID, task_id: object, history_length: int | None) -> View:
    """The view of the task as it is now; TaskNotFoundError for anything that is no task of the workspace."""
    parsed = parse_id(task_id)
    look = await _looks.get((workspace_id, parsed)) if parsed else None
    if look is None:
        raise TaskNotFoundError("There is no such task.")
    return look.view(history_length)
