"""What both of OpenCode's stores hold: rows of JSON for a message and for its parts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from codetether_sessions.shape import (
    Entry,
    Facts,
    Identity,
    Json,
    amount,
    known_id,
    message,
    moment,
    table,
    text,
    tokens_of,
    whole,
)  # fmt: skip

SOURCE = "opencode"
_SAID_ELSEWHERE = ("id", "sessionID", "messageID")


def session_facts(session_id: str, row: Json) -> Facts:
    """From a session's JSON (`parentID`, `time`) or its database row put into that form."""
    times = table(row.get("time"))
    return Facts(
        session_id, directory=text(row.get("directory")), title=text(row.get("title")),
        parent_id=known_id(row.get("parentID")), agent=text(row.get("agent")), model=model_name(row.get("model")),
        created_at=moment(times.get("created")), updated_at=moment(times.get("updated")),
        tokens=tokens(row.get("tokens")), cost=amount(row.get("cost")),
    )  # fmt: skip


def identify(_: Path, entry: Entry) -> Identity:
    """Both stores list all there is to it."""
    return Identity(entry.key, entry.directory or "")


def message_json(message_id: str, data: Json, parts: Iterable[tuple[str, Json]]) -> Json:
    """A message with its parts as (id, data) in order."""
    more = {name: data[name] for name in ("agent", "mode", "finish", "error", "parentID") if data.get(name)}
    model = model_name(data.get("model")) or _joined(text(data.get("providerID")), text(data.get("modelID")))
    return message(
        message_id, role=text(data.get("role")) or "assistant", at=moment(table(data.get("time")).get("created")),
        parts=[_part(part_id, part) for part_id, part in parts], model=model, tokens=tokens(data.get("tokens")),
        cost=amount(data.get("cost")), more=more,
    )  # fmt: skip


def _part(part_id: str, data: Json) -> Json:
    rest = {name: value for name, value in data.items() if name not in _SAID_ELSEWHERE}
    return {**rest, "id": part_id, "type": text(data.get("type")) or "unknown"}


def model_name(value: object) -> str:
    """`provider/model` from OpenCode's pair, which its two stores and versions spell differently."""
    pair = table(value)
    return _joined(text(pair.get("providerID")), text(pair.get("modelID")) or text(pair.get("id")))


def _joined(provider: str, model: str) -> str:
    return f"{provider}/{model}" if provider and model else model


def tokens(value: object) -> Json:
    given = table(value)
    if not given:
        return {}
    return tokens_of(
        whole(given.get("input")), whole(given.get("output")), whole(table(given.get("cache")).get("read"))
    )
