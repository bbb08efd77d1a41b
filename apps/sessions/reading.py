"""Reading what workers sync: old and new spellings of sessions, messages and parts, as one form each."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from apps.core.clock import parse_time
from apps.core.errors import InvalidError

BATCH_LIMIT = 5000
ID_LIMIT = 200
Raw = Mapping[str, Any]
_NO_ID = f"Give a text of 1 to {ID_LIMIT} characters."
_TOLD_ELSEWHERE = frozenset(
    ("id", "message_id", "role", "content", "text", "time", "created_at", "tokens", "cost", "info", "parts")
)
"""Fields of a message that have a column of their own."""
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedSession:
    """A session as a worker tells it."""

    session_id: str
    title: str
    parent_id: str
    agent: str
    model: str
    directory: str
    message_count: int
    usage: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SyncedPart:
    part_id: str
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedMessage:
    """A message as a worker tells it."""

    message_id: str
    role: str
    model: str
    text: str
    usage: dict[str, Any]
    data: dict[str, Any]
    created_at: datetime
    parts: list[SyncedPart] = field(default_factory=list)


class _WrongError(Exception):
    """A value of an entry is wrong. `field` is where in the entry; who reads the list says which entry."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def sessions(entries: object) -> list[SyncedSession]:
    """The `sessions` of a sync; InvalidError names the first entry that is wrong. Of equal ids the last one counts."""
    return list({session.session_id: session for session in _each(entries, "sessions", _session)}.values())


def messages(entries: object) -> list[SyncedMessage]:
    """The `messages` of a sync, likewise."""
    return list({message.message_id: message for message in _each(entries, "messages", _message)}.values())


def _each[Read](entries: object, name: str, read: Callable[[Raw], Read]) -> Iterator[Read]:
    if not isinstance(entries, list) or len(entries) > BATCH_LIMIT:
        raise _invalid(name, f"Give a list of at most {BATCH_LIMIT} entries.")
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise _invalid(f"{name}[{index}]", "Give an object.")
        try:
            yield read(entry)
        except _WrongError as wrong:
            raise _invalid(f"{name}[{index}].{wrong.field}", wrong.message) from wrong


def _invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f"{name}: {message}", errors={name: [message]})


def _session(raw: Raw) -> SyncedSession:
    times = _table(raw, "time")
    created = _time(raw.get("created_at", raw.get("created", times.get("created"))), "created_at")
    updated = raw.get("updated_at", raw.get("updated", times.get("updated")))
    return SyncedSession(
        session_id=_id(raw.get("id") or raw.get("session_id")),
        title=_text(raw, "title"),
        parent_id=_text(raw, "parent_id") or _text(raw, "parentID"),
        agent=_text(raw, "agent"),
        model=_model(raw),
        directory=_text(raw, "directory"),
        message_count=_count(raw.get("message_count", raw.get("messageCount", 0)), "message_count"),
        usage=_usage(raw),
        created_at=created or EPOCH,
        updated_at=_time(updated, "updated_at") or created or EPOCH,
    )


def _message(raw: Raw) -> SyncedMessage:
    info = {**_table(raw, "info"), **raw}
    given = raw.get("parts") or []
    if not isinstance(given, list):
        raise _WrongError("parts", "Give a list.")
    parts = {part.part_id: part for part in map(_part, given, count())}
    created = info.get("created_at", info.get("created", _table(info, "time").get("created")))
    return SyncedMessage(
        message_id=_id(info.get("id") or info.get("message_id")),
        role=_text(info, "role") or "assistant",
        model=_model(info),
        text=_said(info, parts.values()),
        usage=_usage(info),
        data={name: value for name, value in info.items() if name not in _TOLD_ELSEWHERE},
        created_at=_time(created, "created_at") or EPOCH,
        parts=list(parts.values()),
    )


def _part(raw: object, index: int) -> SyncedPart:
    if not isinstance(raw, dict):
        raise _WrongError(f"parts[{index}]", "Give an object.")
    part_id = raw.get("id") or f"part-{index}"
    if not isinstance(part_id, str) or len(part_id) > ID_LIMIT:
        raise _WrongError(f"parts[{index}].id", _NO_ID)
    kind = raw.get("type") or raw.get("kind") or "text"
    if not isinstance(kind, str):
        raise _WrongError(f"parts[{index}].type", "Give a text.")
    data = raw.copy()
    data.pop("id", None)
    data.pop("type", None)
    return SyncedPart(part_id, kind, data)


def _said(info: Raw, parts: Iterable[SyncedPart]) -> str:
    """What people read of a message: its content, else its text parts."""
    content = info.get("content", info.get("text"))
    if isinstance(content, str) and content:
        return content
    said = [part.data.get("text") for part in parts if part.kind == "text"]
    return "\n".join(text for text in said if isinstance(text, str))


def _model(raw: Raw) -> str:
    """`provider/model`, from one field or from OpenCode's two."""
    model = raw.get("model") or raw.get("modelID") or ""
    provider = raw.get("providerID") or ""
    if isinstance(model, dict):
        provider, model = model.get("providerID") or "", model.get("modelID") or model.get("id") or ""
    if not isinstance(model, str) or not isinstance(provider, str):
        raise _WrongError("model", "Give a text.")
    return f"{provider}/{model}" if provider and model and "/" not in model else model


def _usage(raw: Raw) -> dict[str, Any]:
    """Tokens and cost, in our names, from OpenCode's `tokens{input,output,cache{read}}` and `cost`."""
    if "tokens" not in raw and "cost" not in raw:
        return {}
    tokens = _table(raw, "tokens")
    told = {
        "input_tokens": tokens.get("input"),
        "output_tokens": tokens.get("output"),
        "cached_input_tokens": _table(tokens, "cache").get("read"),
        "cost_usd": raw.get("cost"),
    }
    return {
        name: value for name, value in told.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _table(raw: Raw, name: str) -> dict[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _text(raw: Raw, name: str) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _WrongError(name, "Give a text.")
    return value


def _id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= ID_LIMIT:
        raise _WrongError("id", _NO_ID)
    return value


def _count(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise _WrongError(name, "Give a whole number.")
    return value


def _time(value: object, name: str) -> datetime | None:
    if value is None:
        return None
    moment = parse_time(value)
    if moment is None:
        raise _WrongError(name, "Give a time: ISO 8601, or epoch seconds or milliseconds.")
    return moment
