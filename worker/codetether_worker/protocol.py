"""What the control plane sends a worker, parsed into types. The server may add fields at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codetether_worker.answers import PriorAnswer
from codetether_worker.given import Given

GLOBAL_QUEUE = "global"
REGISTER_CODEBASE = "register_codebase"
WORKING_TREE = "working_tree"


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mappings(value: object) -> list[dict[str, Any]]:
    items = value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else []
    return [dict(item) for item in items if isinstance(item, Mapping)]


def is_fork(session_id: str | None, metadata: Mapping[str, Any]) -> bool:
    """Whether the session is only where to begin: the task works in a copy of it, and leaves it as it is.

    Once there is the copy, it is the task's session, and not copied again.
    """
    return bool(session_id) and metadata.get("fork") is True and metadata.get("forked_from", session_id) == session_id


@dataclass(frozen=True, slots=True)
class RegisteredCodebase:
    """A codebase as the server knows it; `path` is on this worker's machine."""

    id: str
    name: str
    path: str
    agent_config: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> RegisteredCodebase:
        return cls(
            id=_text(body.get("id")),
            name=_text(body.get("name")),
            path=_text(body.get("path")),
            agent_config=_mapping(body.get("agent_config")),
        )


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a task or a message; `size` in bytes."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Attachment:
        return cls(
            id=_text(body.get("id")),
            name=_text(body.get("name")) or "file",
            media_type=_text(body.get("media_type")),
            size=int(body.get("size") or 0),
            sha256=_text(body.get("sha256")),
        )


def _attachments(value: object) -> tuple[Attachment, ...]:
    found = (Attachment.parse(item) for item in _mappings(value))
    return tuple(attachment for attachment in found if attachment.id and attachment.sha256)


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at one task. `claim_token` fences every later write and is never logged.

    `files` are names in the codebase to look at, `attachments` came with the task and have to be fetched. `in_tree`:
    the codebase's path is that of a git worktree of the task's own.
    """

    task_id: str
    claim_token: str = field(repr=False)
    title: str = ""
    prompt: str = ""
    agent_type: str = ""
    model: str | None = None
    attempt: int = 1
    session_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    codebase_id: str | None = None
    codebase: RegisteredCodebase | None = None
    files: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    lease_seconds: float = 60.0
    message_seq: int = 0
    answer: PriorAnswer | None = None
    given: Given = Given()
    in_tree: bool = False

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Claim:
        metadata = _mapping(body.get("metadata"))
        codebase = body.get("codebase")
        return cls(
            task_id=str(body["id"]),
            claim_token=str(body["claim_token"]),
            title=_text(body.get("title")),
            prompt=_text(body.get("prompt")),
            agent_type=_text(body.get("agent_type")),
            model=_text(body.get("model")) or _text(metadata.get("model")) or None,
            attempt=int(body.get("attempt") or 1),
            session_id=_text(body.get("session_id")) or None,
            metadata=metadata,
            codebase_id=_text(body.get("codebase_id")) or None,
            codebase=RegisteredCodebase.parse(codebase) if isinstance(codebase, Mapping) else None,
            files=_file_names(body.get("files")) or _file_names(metadata.get("files")),
            attachments=_attachments(body.get("files")),
            lease_seconds=float(body.get("lease_seconds") or 60.0),
            message_seq=int(body.get("message_seq") or 0),
            answer=PriorAnswer.parse(body.get("answer")),
            given=Given.parse(body),
        )

    @property
    def model_wanted(self) -> str | None:
        """The model the task names, else the default of its codebase."""
        default = self.codebase.agent_config.get("default_model") if self.codebase else None
        return self.model or (_text(default) or None)

    @property
    def wants_files(self) -> bool:
        """Whether whoever asked takes the files that the agent makes or changes."""
        return self.metadata.get("artifacts") == "files"

    @property
    def session_agent(self) -> str | None:
        """The program that keeps the session to go on with."""
        return (_text(self.metadata.get("session_agent")) or None) if self.session_id else None

    @property
    def forks(self) -> bool:
        return is_fork(self.session_id, self.metadata)

    @property
    def max_iterations(self) -> int | None:
        """How many model calls a turn may take, if the codebase limits them."""
        limit = self.codebase.agent_config.get("max_iterations") if self.codebase else None
        return limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None

    @property
    def fallback_models(self) -> tuple[str, ...]:
        """Models to go on with when a provider's limit is reached, in this order."""
        return self._texts("fallback_models")

    @property
    def allowed(self) -> tuple[str, ...]:
        """What the agent may do without asking a person, as rules."""
        return self._texts("allow")

    @property
    def denied(self) -> tuple[str, ...]:
        """What the agent may not do, whoever would allow it, as rules."""
        return self._texts("deny")

    def _texts(self, name: str) -> tuple[str, ...]:
        value = self.codebase.agent_config.get(name) if self.codebase else None
        items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
        return tuple(item for item in items if isinstance(item, str) and item)

    @property
    def auto_approves(self) -> bool:
        """Whether the agent's permission requests are answered without asking a person."""
        return not (self.codebase and self.codebase.agent_config.get("auto_approve") is False)


def _file_names(value: object) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return ()
    names = (item.get("path") if isinstance(item, Mapping) else item for item in value)
    return tuple(name for name in names if isinstance(name, str) and name)


@dataclass(frozen=True, slots=True)
class Message:
    """Something a person (or another agent) says to a running task.

    `kind` is "message" (steer), "input" (answers a question) or "interrupt" (stop the turn).
    """

    task_id: str
    seq: int
    kind: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files that came with it."""
        return _attachments(self.data.get("files"))

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Message:
        return cls(
            task_id=_text(body.get("task_id")),
            seq=int(body.get("seq") or 0),
            kind=_text(body.get("kind")) or "message",
            text=_text(body.get("message")),
            data=_mapping(body.get("data")),
            by=_text(body.get("by")),
        )


@dataclass(frozen=True, slots=True)
class Registration:
    """The server's answer to register; both times are in seconds."""

    lease_seconds: float = 60.0
    heartbeat_interval: float = 15.0

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Registration:
        lease = float(body.get("lease_seconds") or 60.0)
        interval = float(body.get("heartbeat_interval") or lease / 3)
        return cls(lease_seconds=lease, heartbeat_interval=min(interval, lease / 2))


@dataclass(frozen=True, slots=True)
class HeartbeatReply:
    """What one heartbeat brought back, by task id."""

    renewed: frozenset[str]
    cancelled: Mapping[str, str]
    messages: tuple[Message, ...]
    drain: bool

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> HeartbeatReply:
        return cls(
            renewed=frozenset(_text(lease.get("task_id")) for lease in _mappings(body.get("leases"))),
            cancelled={
                _text(cancel.get("task_id")): _text(cancel.get("reason")) for cancel in _mappings(body.get("cancel"))
            },
            messages=tuple(Message.parse(m) for m in _mappings(body.get("messages"))),
            drain=bool(body.get("drain")),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended, as it is released to the server.

    `status` is completed, failed, cancelled, rejected, pending, or input_required where the question stays open and the
    place is freed; `direct` marks the result of a completed one as a plain answer. `retry_after` (seconds) goes with
    pending and burns no attempt; `retry` asks for another attempt after a failure; `declined` says "not this worker";
    `message_seq` is the last message that was acted on: the server makes a task of what came after it.
    """

    status: str
    result: str | None = None
    error: str | None = None
    error_code: str | None = None
    session_id: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    retry_after: float | None = None
    retry: bool = False
    declined: bool = False
    message_seq: int | None = None
    direct: bool = False

    def to_release(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "status": self.status,
            "result": self.result,
            "error": self.error,
            "error_code": self.error_code,
            "session_id": self.session_id,
            "usage": dict(self.usage),
        }
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        if self.retry:
            body["retry"] = True
        if self.declined:
            body["decline"] = True
        if self.message_seq is not None:
            body["message_seq"] = self.message_seq
        if self.direct:
            body["direct"] = True
        return body
