"""From the log to what clients see: one frame for one event, the same for SSE and WebSocket.

`task_batch` and `codebase_batch` give the contract's shapes; `raw_batch` gives the log itself (monitor). The log
says more than the contract names: `tool_result`, `usage`, `session` and `message` are frames of their own, and every
move of the state is a `status`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apps.core import jsontext, sse
from apps.tasks.log import LogEvent

Data = Mapping[str, Any]

SHARED = 16
"""Batches kept per kind of stream: readers that share a read (apps.tasks.log) share its events, so their bytes too."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event for a client: its resumable id, its name, its JSON data."""

    id: str
    event: str
    data: dict[str, Any]

    def as_json(self) -> str:
        """The WebSocket's form: `{id, event, data}`."""
        return jsontext.dumps({"id": self.id, "event": self.event, "data": self.data}).decode()


@dataclass(slots=True, eq=False)
class Batch:
    """Frames in order (none: silence). Where there are none, `resume` is the id at which a reader goes on."""

    frames: list[Frame]
    resume: str = ""
    _sse: bytes = b""

    def as_sse(self) -> bytes:
        """The stream's form; made once for all streams that share the batch."""
        if not self._sse:
            frames = [sse.event(frame.event, frame.data, id=frame.id) for frame in self.frames]
            self._sse = b"".join(frames) or (sse.keepalive(self.resume) if self.resume else sse.KEEPALIVE)
        return self._sse


@lru_cache(SHARED)
def task_batch(*events: LogEvent) -> Batch:
    """Events in the contract's shape; an id is the place in the task's log."""
    return Batch([_project(event, str(event.seq)) for event in events])


@lru_cache(SHARED)
def codebase_batch(*events: LogEvent) -> Batch:
    """Events in the contract's shape; an id is the place in the workspace."""
    return Batch([_project(event, str(event.cursor)) for event in events])


@lru_cache(SHARED)
def raw_batch(*events: LogEvent) -> Batch:
    """Events as the log has them, with what the monitor shows beside them; an id is the place in the workspace."""
    return Batch([_raw(event) for event in events])


def _raw(event: LogEvent) -> Frame:
    beside = {"worker_id": event.worker_id or None, "agent_type": event.agent_type, "title": event.title}
    return Frame(str(event.cursor), event.kind, {**_about(event), **beside, "kind": event.kind, "data": event.data})


def _project(event: LogEvent, id: str) -> Frame:  # noqa: A002 (the field's own name)
    name, data = SHAPES[event.kind](event.data) if event.kind in SHAPES else (event.kind, event.data)
    return Frame(id, name, {**_about(event), **data})


def _about(event: LogEvent) -> dict[str, Any]:
    return {
        "task_id": str(event.task_id),
        "seq": event.seq,
        "codebase_id": event.codebase_id or None,
        "session_id": event.data.get("session_id") or event.session_id or None,
        "at": event.created_at,
    }


Shape = tuple[str, dict[str, Any]]


def _status(status: str, message: str, **more: Any) -> Shape:
    return "status", {"status": status, "message": message, **more}


def _created(data: Data) -> Shape:
    return _status("pending", f"Created: {data['title']}", title=data["title"])


def _claimed(data: Data) -> Shape:
    message = f"Worker {data['worker_id']} began attempt {data['attempt']}"
    return _status("running", message, worker_id=data["worker_id"], attempt=data["attempt"])


def _requeued(data: Data) -> Shape:
    return _status("pending", f"Back in the queue: {data['reason']}", error=data["error"] or None)


def _asked(data: Data) -> Shape:
    return _status(data["state"], data["question"], options=data["options"], call_id=data["call_id"])


def _answered(data: Data) -> Shape:
    return _status(data["resumes"], f"Answered by {data['by']}", answer=data["message"])


def _reprioritised(data: Data) -> Shape:
    return _status("pending", f"Priority is now {data['priority']}", priority=data["priority"])


def _declined(data: Data) -> Shape:
    return _status("pending", f"Worker {data['worker_id']} declined: {data['reason']}")


def _lease_lost(data: Data) -> Shape:
    return _status("input_required", f"Worker {data['worker_id']} has gone; the question stands")


def _reported(data: Data) -> Shape:
    return _status("running", data["message"])


def _output(data: Data) -> Shape:
    return "output", {"type": data.get("type", "text"), "content": data["content"]}


def _tool_use(data: Data) -> Shape:
    return "tool_use", {**data, "args": data.get("args", {})}


def _completed(data: Data) -> Shape:
    return "complete", {"status": "completed", "summary": data["result"], "usage": data["usage"]}


def _failed(data: Data) -> Shape:
    return "error", {"error": data["error"], "code": data["code"] or "failed", "status": "failed"}


def _ended(status: str) -> Callable[[Data], Shape]:
    return lambda data: ("complete", {"status": status, "summary": data["reason"]})


SHAPES: Mapping[str, Callable[[Data], Shape]] = {
    "created": _created,
    "claimed": _claimed,
    "requeued": _requeued,
    "asked": _asked,
    "answered": _answered,
    "reprioritised": _reprioritised,
    "declined": _declined,
    "lease_lost": _lease_lost,
    "status": _reported,
    "output": _output,
    "tool_use": _tool_use,
    "completed": _completed,
    "failed": _failed,
    "cancelled": _ended("cancelled"),
    "rejected": _ended("rejected"),
}
"""Kinds that look different to clients; the others (file_change, tool_result, usage, session, message) do not."""
