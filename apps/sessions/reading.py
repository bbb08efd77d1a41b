"""Reading what workers sync: old and new spellings of sessions, messages and parts, as one form each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apps.core.clock import parse_time
from apps.core.errors import InvalidError

BATCH_LIMIT = 5000
ID_LIMIT = 200
Raw = Mapping[str, Any]
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


def sessions(entries: object) -> list[SyncedSession]:
    """The `sessions` of a sync; InvalidError names the first entry that is wrong. Of equal ids the last one counts."""
    found = [_session(entry, f"sessions[{index}]") for index, entry in enumerate(_entries(entries, "sessions"))]
    return list({session.session_id: session for session in found}.values())


def messages(entries: object) -> list[SyncedMessage]:
    """The `messages` of a sync, likewise."""
    found = [_message(entry, f"messages[{index}]") for index, entry in enumerate(_entries(entries, "messages"))]
    return list({message.message_id: message for message in found}.values())


def _entries(value: object, name: str) -> list[Raw]:
    if not isinstance(value, list) or len(value) > BATCH_LIMIT:
        raise _invalid(name, f"Give a list of at most {BATCH_LIMIT} entries.")
    for index, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise _invalid(f"{name}[{index}]", "Give an object.")
    return value


def _session(raw: Raw, where: str) -> SyncedSession:
    times = _table(raw, "time")
    created = _time(raw.get("created_at", raw.get("created", times.get("created"))), f"{where}.created_at")
    updated = raw.get("updated_at", raw.get("updated", times.get("updated")))
    return SyncedSession(
        session_id=_id(raw.get("id") or raw.get("session_id"), f"{where}.id"),
        title=_text(raw, "title", where),
        parent_id=_text(raw, "parent_id", where) or _text(raw, "parentID", where),
        agent=_text(raw, "agent", where),
        model=_model(raw, where),
        directory=_text(raw, "directory", where),
        message_count=_count(raw.get("message_count", raw.get("messageCount", 0)), f"{where}.message_count"),
        usage=_usage(raw),
        created_at=created or EPOCH,
        updated_at=_time(updated, f"{where}.updated_at") or created or EPOCH,
    )


def _message(raw: Raw, where: str) -> SyncedMessage:
    info = {**_table(raw, "info"), **{name: value for name, value in raw.items() if name not in ("info", "parts")}}
    parts = raw.get("parts") or []
    if not isinstance(parts, list):
        raise _invalid(f"{where}.parts", "Give a list.")
    read = [_part(part, index, f"{where}.parts[{index}]") for index, part in enumerate(parts)]
    times = _table(info, "time")
    created = info.get("created_at", info.get("created", times.get("created")))
    known = ("id", "message_id", "role", "content", "text", "time", "created_at", "tokens", "cost")
    return SyncedMessage(
        message_id=_id(info.get("id") or info.get("message_id"), f"{where}.id"),
        role=_text(info, "role", where) or "assistant",
        model=_model(info, where),
        text=_said(info, read),
        usage=_usage(info),
        data={name: value for name, value in info.items() if name not in known},
        created_at=_time(created, f"{where}.created_at") or EPOCH,
        parts=list({part.part_id: part for part in read}.values()),
    )


def _part(raw: object, index: int, where: str) -> SyncedPart:
    if not isinstance(raw, dict):
        raise _invalid(where, "Give an object.")
    part_id = _id(raw.get("id") or f"part-{index}", f"{where}.id")
    kind = raw.get("type") or raw.get("kind") or "text"
    if not isinstance(kind, str):
        raise _invalid(f"{where}.type", "Give a text.")
    return SyncedPart(part_id=part_id, kind=kind, data={k: v for k, v in raw.items() if k not in ("id", "type")})


def _said(info: Raw, parts: list[SyncedPart]) -> str:
    """What people read of a message: its content, else its text parts."""
    content = info.get("content", info.get("text"))
    if isinstance(content, str) and content:
        return content
    said = [part.data.get("text") for part in parts if part.kind == "text"]
    return "\n".join(text for text in said if isinstance(text, str))


def _model(raw: Raw, where: str) -> str:
    """`provider/model`, from one field or from OpenCode's two."""
    model = raw.get("model") or raw.get("modelID") or ""
    provider = raw.get("providerID") or ""
    if isinstance(model, dict):
        provider, model = model.get("providerID") or "", model.get("modelID") or model.get("id") or ""
    if not isinstance(model, str) or not isinstance(provider, str):
        raise _invalid(f"{where}.model", "Give a text.")
    return f"{provider}/{model}" if provider and model and "/" not in model else model


def _usage(raw: Raw) -> dict[str, Any]:
    """Tokens and cost, in our names, from OpenCode's `tokens{input,output,cache{read}}` and `cost`."""
    tokens, usage = _table(raw, "tokens"), {}
    cache = _table(tokens, "cache")
    for name, value in (
        ("input_tokens", tokens.get("input")),
        ("output_tokens", tokens.get("output")),
        ("cached_input_tokens", cache.get("read")),
        ("cost_usd", raw.get("cost")),
    ):
        if isinstance(value, int | float) and not isinstance(value, bool):
            usage[name] = value
    return usage


def _table(raw: Raw, name: str) -> dict[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _text(raw: Raw, name: str, where: str) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _invalid(f"{where}.{name}", "Give a text.")
    return value


def _id(value: object, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= ID_LIMIT:
        raise _invalid(where, f"Give a text of 1 to {ID_LIMIT} characters.")
    return value


def _count(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise _invalid(where, "Give a whole number.")
    return value


def _time(value: object, where: str) -> datetime | None:
    if value is None:
        return None
    moment = parse_time(value)
    if moment is None:
        raise _invalid(where, "Give a time: ISO 8601, or epoch seconds or milliseconds.")
    return moment


def _invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f"{name}: {message}", errors={name: [message]})
