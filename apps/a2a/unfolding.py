"""A task's log as the events of a stream: A2A 1.0's StreamResponse, for every line of the log that A2A can tell."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apps.a2a.projection import (
    SPEAKING,
    STATES,
    Talk,
    artifact_of,
    is_said,
    moment,
    result_artifact,
    spoken_text,
)
from apps.core.extension import EXTENSION
from apps.tasks.log import LogEvent
from apps.tasks.states import State

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

REPORTED = frozenset({"tool_use", "tool_result", "file_change"})
"""Kinds that streams pass on as metadata of a status update."""


class Unfolding:
    """A task's log as the events of a stream, one log event at a time; remembers what the artifact holds so far."""

    def __init__(self, task: "Task", heard: Sequence[LogEvent] = ()) -> None:
        self.talk = Talk(task)
        self.begun = False
        self._said = hashlib.sha256()
        for line in heard:
            self._note(line)

    def events(self, line: LogEvent) -> list[Json]:
        """The stream events (A2A 1.0 StreamResponse) that a log event gives; none for what A2A does not tell."""
        begun = self.begun
        said = self._said.hexdigest()
        self._note(line)
        if line.kind == "output":
            return [self._chunk(line.data["content"], append=begun)] if is_said(line) else []
        if line.kind == "artifact":
            return [self._update(artifact_of(line), append=line.data.get("append"), last=line.data.get("last_chunk"))]
        state = state_after(line)
        if state is None:
            return [self._working(line)] if line.kind == "status" or line.kind in REPORTED else []
        told = [self._status(line, state)]
        result = line.data.get("result", "") if line.kind == "completed" else ""
        if result and said != hashlib.sha256(result.encode()).hexdigest():
            told.insert(0, self._chunk(result, append=False, last=True))
        return told

    def _note(self, line: LogEvent) -> None:
        if line.kind == "claimed":
            self.begun, self._said = False, hashlib.sha256()
        elif line.kind == "output" and is_said(line):
            self.begun = True
            self._said.update(line.data["content"].encode())

    def _chunk(self, text: str, *, append: bool, last: bool = False) -> Json:
        return self._update(result_artifact(text), append=append, last=last)

    def _update(self, made: Json, *, append: bool | None, last: bool | None) -> Json:
        update = {**self._place(), "artifact": made, "append": bool(append), "lastChunk": bool(last)}
        return {"artifactUpdate": update}

    def _working(self, line: LogEvent) -> Json:
        status: Json = {"state": STATES[State.RUNNING], "timestamp": moment(line.created_at)}
        update = {**self._place(), "status": status}
        if line.kind == "status":
            status["message"] = self.talk.message_of(line)
        else:
            update["metadata"] = {EXTENSION: {"event": line.kind, **line.data}}
        return {"statusUpdate": update}

    def _status(self, line: LogEvent, state: State) -> Json:
        status: Json = {"state": STATES[state], "timestamp": moment(line.created_at)}
        if line.kind in SPEAKING and spoken_text(line):
            status["message"] = self.talk.message_of(line)
        update = {**self._place(), "status": status}
        if more := _of_the_end(line):
            update["metadata"] = {EXTENSION: more}
        return {"statusUpdate": update}

    def _place(self) -> Json:
        return {"taskId": self.talk.task_id, "contextId": self.talk.context_id}


def _of_the_end(line: LogEvent) -> Json:
    """What our extension tells of a task with its end, and a client that only follows hears nowhere else."""
    told = {"usage": line.data.get("usage"), "errorCode": line.data.get("code") if line.kind == "failed" else None}
    return {name: value for name, value in told.items() if value}


_AFTER: Mapping[str, State] = {
    "claimed": State.RUNNING,
    "requeued": State.PENDING,
    "completed": State.COMPLETED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
    "rejected": State.REJECTED,
}


def state_after(line: LogEvent) -> State | None:
    """The state that an event leads to; None where it does not move the task."""
    if line.kind == "asked":
        return State(line.data["state"])
    if line.kind == "answered":
        return State(line.data["resumes"])
    return _AFTER.get(line.kind)
