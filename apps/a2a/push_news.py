"""What a task's log has for the receiver of its push notifications, in the words of the version it was asked in.

1.0's receivers get StreamResponses (1.0 §4.3.3): a `statusUpdate` for each change of state, and before the last one
an `artifactUpdate` for each artifact, whole. 0.3's get the Task as it was after each change (0.3 §9.5). What an agent
says while it works is for streams.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from a2a.utils.constants import PROTOCOL_VERSION_0_3
from django.conf import settings

from apps.a2a import legacy
from apps.a2a.files import with_files
from apps.a2a.looking import told
from apps.a2a.models import PushConfig
from apps.a2a.projection import ENDINGS, TOLD, task_view
from apps.a2a.unfolding import Unfolding, state_after
from apps.core import jsontext
from apps.tasks.log import LogEvent
from apps.tasks.log.extract import read_kinds
from apps.tasks.selectors import is_terminal, task_get
from apps.tasks.states import State

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

MEDIA_TYPES = {"0.3": "application/json", "1.0": "application/a2a+json"}
TURNS = [kind for kind in TOLD if kind not in ("output", "artifact", "status")]
"""Kinds that tell how the state changed, without what was said and made meanwhile."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One POST. `key` is the same whenever it is sent again; having it, the receiver has heard up to `heard_seq`."""

    key: str
    heard_seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class News:
    """All that there is to tell now, in order; after it the receiver knows the log up to `last_seq`."""

    notifications: Sequence[Notification]
    last_seq: int


def news_for(config: PushConfig) -> News:
    """What the config's receiver has not heard yet."""
    task = task_get(workspace_id=config.workspace_id, task_id=config.task_id)
    is_old = config.version == PROTOCOL_VERSION_0_3
    lines = told(task) if is_old or is_terminal(task) else read_kinds(task.id, TURNS)
    found: list[Notification] = []
    for line in lines:
        state = state_after(line)
        if state is not None and config.sent_seq < line.seq <= task.last_seq:
            then = _as_of(task, line, state)
            events = _as_task(then, lines) if is_old else _as_events(then, line, lines)
            found += _numbered(task, line.seq, list(events), is_old=is_old)
    return News(found, task.last_seq)


def _as_of(task: "Task", line: LogEvent, state: State) -> "Task":
    """The task as it was right after an event that moved it."""
    then = copy.copy(task)
    then.state, then.last_seq, then.moved_at = str(state), line.seq, line.created_at
    then.result = line.data.get("result", "") if line.kind == "completed" else ""
    then.error_code = task.error_code if line.kind in ENDINGS else ""
    return then


def _as_task(then: "Task", lines: Sequence[LogEvent]) -> Iterator[Json]:
    yield {"task": task_view(then, lines)}


def _as_events(then: "Task", line: LogEvent, lines: Sequence[LogEvent]) -> Iterator[Json]:
    updates = [event for event in Unfolding(then).events(line) if "statusUpdate" in event]
    if line.kind in ENDINGS:
        place = {name: updates[0]["statusUpdate"][name] for name in ("taskId", "contextId")}
        for made in task_view(then, lines).get("artifacts", ()):
            yield {"artifactUpdate": {**place, "artifact": made, "append": False, "lastChunk": True}}
    yield from updates


def _numbered(task: "Task", seq: int, events: Sequence[Json], *, is_old: bool) -> Iterator[Notification]:
    """The event of the log counts as heard with the last of what it gives."""
    last = len(events) - 1
    for number, event in enumerate(events):
        shown = with_files(event, workspace_id=task.workspace_id, base_url=settings.A2A_AGENT_URL)
        body = jsontext.dumps(legacy.stream_event(shown) if is_old else shown)
        is_last = number == last
        key = f"{task.id}:{seq}" if is_last else f"{task.id}:{seq}.{number}"
        yield Notification(key, seq if is_last else seq - 1, body)
