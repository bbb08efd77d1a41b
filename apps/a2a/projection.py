"""A task's row and log as A2A sees them: Task, Message, Artifact and the events of streams, in 1.0's ProtoJSON.

Plain dicts, because a protobuf round trip costs more than the rest of a request; tests hold them against the SDK's
types. `apps/a2a/legacy.py` gives the same in 0.3's spelling, `apps/a2a/unfolding.py` the events of streams.

- What the agent says (`output` of type text) is one artifact, `result`: it grows by chunks while the agent works,
  begins anew with each attempt, and is replaced by the task's result at the end where that differs.
- What it makes besides (`artifact`) are artifacts of their own, in the order in which they began.
- Questions, results and errors are the status's message; those of former statuses are in the history.
- What A2A has no place for (worker, codebase, usage, tool calls, changed files) is metadata under `EXTENSION`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apps.a2a.incoming import AGENT, USER
from apps.core.extension import EXTENSION
from apps.tasks.log import LogEvent
from apps.tasks.selectors import SAID, placed_codebase
from apps.tasks.states import State
from apps.workers.conversation import context_of

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

DIRECT = f"{EXTENSION}/direct"
"""Marks, in its metadata, the message of an agent that answered without work to speak of."""
RESULT = "result"
"""The id of a task's artifact."""

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
TOLD = ("message", "answered", "claimed", "requeued", "output", "artifact", "status", *sorted(SPEAKING))
"""Kinds of events that a task's full view is made of."""
ENDINGS = frozenset({"completed", "failed", "cancelled", "rejected"})


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
    text = task.result or talk.text
    made = [*([result_artifact(text)] if text else []), *talk.made.values()]
    if made:
        view["artifacts"] = made
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


def result_artifact(text: str) -> Json:
    return {"artifactId": RESULT, "name": RESULT, "parts": [{"text": text}]}


def artifact_of(line: LogEvent) -> Json:
    """What an `artifact` event adds, as an A2A Artifact. A file that we keep stands as `{"file_id": …}`."""
    data = line.data
    made = {"artifactId": data["artifact_id"], "parts": [_spelled(part) for part in data["parts"]]}
    return made | {name: data[name] for name in ("name", "description", "metadata") if data.get(name)}


def _spelled(part: Json) -> Json:
    named = {"media_type": "mediaType"}
    return {named.get(name, name): value for name, value in part.items()}


class Talk:
    """The conversation of one task, heard event by event."""

    def __init__(self, task: "Task") -> None:
        self.task_id = str(task.id)
        self.context_id = context_of(task)
        self.history: list[Json] = [self._first(task)]
        self.current: Json | None = None
        self.chunks: list[str] = []
        self.made: dict[str, Json] = {}
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
        elif line.kind == "artifact":
            self._make(artifact_of(line), append=line.data.get("append", False))
        elif line.kind == "message":
            if spoken_text(line):
                self.history.append(self.message_of(line))
        elif line.kind == "status":
            self.current = self._question or self.message_of(line)  # progress is told and not kept
        else:
            self._turn(line)

    def _make(self, made: Json, *, append: bool) -> None:
        """More of an artifact, or one in the place of what went by its id before."""
        before = self.made.get(made["artifactId"])
        if append and before is not None:
            made = {**before, **made, "parts": before["parts"] + made["parts"]}
        self.made[made["artifactId"]] = made

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
        said = task.metadata.get(SAID) or {}
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
        return message | ((said or {}).get(SAID) or {})


def is_said(line: LogEvent) -> bool:
    """Whether an output event is the agent speaking, not thinking or printing."""
    return bool(line.data.get("type", "text") == "text" and line.data.get("content"))


def spoken_text(line: LogEvent) -> str:
    """The words of an event; empty where it has none."""
    for name in ("message", "question", "result", "error", "reason"):
        if line.data.get(name):
            return str(line.data[name])
    return ""
