"""Codex's sessions: `sessions/YEAR/MONTH/DAY/rollout-<time>-<session>.jsonl`, lines of `{timestamp, type, payload}`."""

from __future__ import annotations

import json
from pathlib import Path

from codetether_sessions.lines import file_entries, file_mark, json_lines
from codetether_sessions.shape import (
    Entry,
    Facts,
    Head,
    Identity,
    Json,
    Keep,
    counted,
    items,
    known_id,
    message,
    moment,
    spoken,
    table,
    text,
    tokens_of,
    tool_call,
    tool_result,
    whole,
)  # fmt: skip

SOURCE = "codex"
_CONTEXT = ("<environment_context>", "<user_instructions>", "<permissions", "# AGENTS.md instructions")
"""How messages begin that the program, not the person, puts in."""


def list_entries(store: Path) -> list[Entry]:
    """The sessions below `store` (Codex's `sessions` folder), in no order."""
    return file_entries(store, store.rglob("rollout-*.jsonl"))


def mark_of(store: Path, key: str) -> str:
    return file_mark(store / key)


def identify(store: Path, entry: Entry) -> Identity:
    for _, line in json_lines(store / entry.key):
        payload = table(line.get("payload"))
        if line.get("type") == "session_meta" and known_id(payload.get("id")):
            return Identity(payload["id"], text(payload.get("cwd")))
    return Identity("", "")


def read_head(store: Path, key: str) -> Head | None:
    return counted(lambda keep: read_session(store, key, keep))


def read_session(store: Path, key: str, keep: Keep) -> Facts | None:
    """The session, its messages given to `keep` in order; None when the file does not say whose it is."""
    facts: Facts | None = None
    for number, line in json_lines(store / key):
        kind, payload, at = text(line.get("type")), table(line.get("payload")), moment(line.get("timestamp"))
        if kind == "session_meta" and facts is None and known_id(payload.get("id")):
            facts = Facts(payload["id"], directory=text(payload.get("cwd")), parent_id=_parent(payload))
        if facts is None:
            continue
        facts.saw(at)
        if kind == "turn_context":
            facts.model = text(payload.get("model")) or facts.model
        elif kind == "event_msg" and payload.get("type") == "token_count":
            facts.tokens = _tokens(payload) or facts.tokens
        elif kind == "response_item" and (said := _message(f"line-{number:08}", payload, at, facts)):
            keep(said)
    return facts


def _parent(meta: Json) -> str:
    """The session that this one was forked from, or whose sub-agent it is."""
    spawned = table(table(table(meta.get("source")).get("subagent")).get("thread_spawn"))
    return known_id(meta.get("forked_from_id")) or known_id(spawned.get("parent_thread_id"))


def _tokens(payload: Json) -> Json:
    """The totals of the session so far."""
    total = table(table(payload.get("info")).get("total_token_usage"))
    if not total:
        return {}
    given, answered = whole(total.get("input_tokens")), whole(total.get("output_tokens"))
    return tokens_of(given, answered, whole(total.get("cached_input_tokens")))


def _message(line_id: str, payload: Json, at: str | None, facts: Facts) -> Json | None:
    message_id = known_id(payload.get("id")) or line_id
    kind, role = text(payload.get("type")), text(payload.get("role"))
    if kind == "message":
        said = "\n".join(text(block.get("text")) for block in items(payload.get("content")))
        if role not in ("user", "assistant") or said.startswith(_CONTEXT):
            return None
        if role == "user":
            facts.name_after(said)
        model = facts.model if role == "assistant" else ""
        return message(message_id, role=role, at=at, parts=[spoken(message_id, said)], model=model)
    part = _other_part(message_id, kind, payload)
    role = "tool" if kind.endswith("_output") else "assistant"
    return message(message_id, role=role, at=at, parts=[part]) if part else None


def _other_part(part_id: str, kind: str, payload: Json) -> Json | None:
    call_id = text(payload.get("call_id"))
    if kind == "reasoning":
        thought = "\n".join(text(block.get("text")) for block in items(payload.get("summary")))
        return spoken(part_id, thought, "reasoning") if thought else None
    if kind in ("function_call", "custom_tool_call"):
        given = payload.get("arguments", payload.get("input"))
        return tool_call(part_id, tool=text(payload.get("name")), call_id=call_id, given=_decoded(given))
    if kind == "local_shell_call":
        return tool_call(part_id, tool="shell", call_id=call_id, given=payload.get("action"))
    if kind in ("function_call_output", "custom_tool_call_output"):
        return tool_result(part_id, call_id=call_id, output=payload.get("output"))
    return None


def _decoded(given: object) -> object:
    """Arguments come as JSON in a text."""
    try:
        return json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        return given
