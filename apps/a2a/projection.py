"""A task's row and log as A2A sees them: Task, Message, Artifact and the events of streams, in 1.0's ProtoJSON.

Plain dicts, because a protobuf round trip costs more than the rest of a request; tests hold them against the SDK's
types. `apps/a2a/legacy.py` gives the same in 0.3's spelling.

- What the agent says (`output` of type text) is one artifact, `result`: it grows by chunks while the agent works,
  begins anew with each attempt, and is replaced by the task's result at the end where that differs.
- Questions, results and errors are the status's message; those of former statuses are in the history.
- What A2A has no place for (worker, codebase, usage, tool calls, changed files) is metadata under `EXTENSION`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apps.a2a.incoming import AGENT, USER
from apps.tasks.log import LogEvent
from apps.tasks.selectors import placed_codebase
from apps.tasks.states import State

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

EXTENSION = "https://codetether.run/a2a/extensions/task/v1"
"""The key of our data in A2A metadata: where the task runs, as what, and why it waits, what it used."""
DIRECT = f"{EXTENSION}/direct"
"""Marks, in its metadata, the message of an agent that answered without work to speak of."""
RESULT = "result"
"""The id of a task's artifact."""
METADATA_KEY = "a2a"
"""Where a task's own metadata keep what the message that made it said beyond its text."""

STATES: Mapping[State, str] = {
    State.PENDING: "TASK_STATE_SUBMITTED",
    State.RUNNING: "TASK_STATE_WORKING",
    State.INPUT_REQUIRED: "TASK_STATE_INPUT_REQUIRED",
    State.AUTH_REQUIRED: "TASK_STATE_AUTH_REQUIRED",
    State.COMPLETED: "TASK_STATE_COMPLETED",
    State.FAILED: "TASK_STATE_FAILED",
    State.CANCELLED: "TASK_STATE_CANCELED",
    State.REJECTED: "TASK_STATE_REJECTED",
}

SPEAKING = frozenset({"asked", "completed", "failed", "cancelled", "rejected"})
"""Kinds of events whose words are the message of the status that they lead to."""
TOLD = ("message", "answered", "claimed", "requeued", "output", "status", *sorted(SPEAKING))
"""Kinds of events that a task's full view is made of."""
ENDINGS = frozenset({"completed", "failed", "cancelled", "rejected"})
REPORTED = frozenset({"tool_use", "tool_result", "file_change"})
"""Kinds that streams pass on as metadata of a status update."""


def context_of(task: "Task") -> str:
    """A2A knows no task without a context; one made by another face is a context of its own."""
    return task.context_id or str(task.id)


def task_view(
    task: "Task", lines: Iterable[LogEvent] = (), *, history_length: int | None = None, waits: Json | None = None
) -> Json:
    """The A2A Task. `lines` are its log's TOLD events; without any it is a task that nothing has happened to.

    `waits` says why it does, in our extension's words; nothing where that was not looked up, as in streams.
    """
    talk = Talk(task)
    for line in lines:
        if line.seq <= task.last_seq:
            talk.hear(line)
    view: Json = {
        "id": str(task.id),
        "contextId": context_of(task),
        "status": {"state": STATES[State(task.state)], "timestamp": moment(task.moved_at)},
        "metadata": {EXTENSION: extension_data(task) | (waits or {})},
    }
    if talk.current is not None:
        view["status"]["message"] = talk.current
    if text := task.result or talk.text:
        view["artifacts"] = [artifact(text)]
    history = talk.history if history_length is None else talk.history[max(0, len(talk.history) - history_length) :]
    if history:
        view["history"] = history
    return view


def extension_data(task: "Task") -> Json:
    """What our extension tells about a task; absent values are left out."""
    data = {
        "status": task.state,
        "codebaseId": placed_codebase(task),
        "agentType": task.agent_type,
        "model": task.model,
        "targetAgent": task.target_agent,
        "priority": task.priority,
        "attempt": task.attempt,
        "workerId": task.worker_id,
        "sessionId": task.session_id,
        "errorCode": task.error_code,
        "usage": task.usage,
    }
    return {name: value for name, value in data.items() if value or name in ("priority", "attempt")}


def moment(at: datetime) -> str:
    """A time in ProtoJSON: UTC with a Z, to the millisecond (1.0 §5.6.1)."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def artifact(text: str) -> Json:
    return {"artifactId": RESULT, "name": RESULT, "parts": [{"text": text}]}


class Talk:
    """The conversation of one task, heard event by event."""

    def __init__(self, task: "Task") -> None:
        self.task_id = str(task.id)
        self.context_id = context_of(task)
        self.history: list[Json] = [self._first(task)]
        self.current: Json | None = None
        self.chunks: list[str] = []
        self._question: Json | None = None

    @property
    def text(self) -> str:
        """What the agent has said in its present attempt."""
        return "".join(self.chunks)

    def hear(self, line: LogEvent) -> None:
        """Take in the next event of the log."""
        if line.kind == "output":
            if is_said(line):
                self.chunks.append(line.data["content"])
        elif line.kind == "message":
            if spoken_text(line):
                self.history.append(self.message_of(line))
        elif line.kind == "status":
            self.current = self._question or self.message_of(line)  # progress is told and not kept
        else:
            self._turn(line)

    def _turn(self, line: LogEvent) -> None:
        """A new status: its message takes the place of the former one; a question goes into the history."""
        if self._question is not None:
            self.history.append(self._question)
        if line.kind == "claimed":
            self.chunks.clear()
        if line.kind == "answered":
            self.history.append(self.message_of(line))
        speaks = line.kind in SPEAKING and spoken_text(line)
        self.current = self.message_of(line) if speaks else None
        self._question = self.current if line.kind == "asked" else None

    def _first(self, task: "Task") -> Json:
        said = task.metadata.get(METADATA_KEY) or {}
        message = {
            "messageId": f"{task.id}:1",
            "contextId": self.context_id,
            "taskId": self.task_id,
            "role": USER,
            "parts": [{"text": task.prompt}],
        }
        return message | said

    def message_of(self, line: LogEvent) -> Json:
        """The A2A message that an event is."""
        parts: list[Json] = [{"text": spoken_text(line)}]
        if line.data.get("options"):
            parts.append({"data": {"options": line.data["options"]}})
        said = line.data.get("data") if line.kind in ("answered", "message") else None
        message: Json = {
            "messageId": f"{self.task_id}:{line.seq}",
            "contextId": self.context_id,
            "taskId": self.task_id,
            "role": USER if line.kind in ("message", "answered") else AGENT,
            "parts": parts,
        }
        if line.data.get("direct"):
            message["metadata"] = {DIRECT: True}
        return message | ((said or {}).get(METADATA_KEY) or {})


def is_said(line: LogEvent) -> bool:
    """Whether an output event is the agent speaking, not thinking or printing."""
    return bool(line.data.get("type", "text") == "text" and line.data.get("content"))


def spoken_text(line: LogEvent) -> str:
    """The words of an event; empty where it has none."""
    for name in ("message", "question", "result", "error", "reason"):
        if line.data.get(name):
            return str(line.data[name])
    return ""


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
        update = {**self._place(), "artifact": artifact(text), "append": append, "lastChunk": last}
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
        if line.data.get("usage"):
            update["metadata"] = {EXTENSION: {"usage": line.data["usage"]}}
        return {"statusUpdate": update}

    def _place(self) -> Json:
        return {"taskId": self.talk.task_id, "contextId": self.talk.context_id}


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
