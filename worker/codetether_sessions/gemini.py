"""Gemini CLI's sessions: `tmp/<project>/chats/session-*.jsonl`.

A line is a message (one that comes again replaces itself), the session's head, or `$set`, which changes the head.
Which folder a project is, stands in `projects.json` beside `tmp`, or in the project's `.project_root`.
"""

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
    Spent,
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

SOURCE = "gemini"
_CONTEXT = "<session_context>"  # how the message begins that the program puts in


def list_entries(store: Path) -> list[Entry]:
    """The sessions below `store` (`.gemini`) whose folder is known, in no order."""
    folders = _folders(store)
    found: list[Entry] = []
    for project in (store / "tmp").glob("*"):
        directory = folders.get(project.name) or _first_line(project / ".project_root")
        if directory:
            found += file_entries(store, project.glob("chats/session-*.jsonl"), directory)
    return found


def _folders(store: Path) -> dict[str, str]:
    """Project → folder."""
    try:
        body = table(json.loads((store / "projects.json").read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: folder for folder, name in table(body.get("projects")).items() if isinstance(name, str)}


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip().partition("\n")[0]
    except (OSError, ValueError):
        return ""


def mark_of(store: Path, key: str) -> str:
    return file_mark(store / key)


def identify(store: Path, entry: Entry) -> Identity:
    ids = (known_id(line.get("sessionId")) for _, line in json_lines(store / entry.key))
    return Identity(next(filter(None, ids), ""), entry.directory or "")


def read_head(store: Path, key: str) -> Head | None:
    return counted(lambda keep: read_session(store, key, keep))


def read_session(store: Path, key: str, keep: Keep) -> Facts | None:
    """The session without its folder, its messages given to `keep` in order; None when it has no id."""
    facts: Facts | None = None
    spent = Spent(keep)
    for _, line in json_lines(store / key):
        if facts is None and known_id(line.get("sessionId")):
            facts = Facts(line["sessionId"], created_at=moment(line.get("startTime")))
        if facts is None:
            continue
        change = table(line.get("$set"))
        facts.saw(moment(line.get("timestamp") or line.get("lastUpdated") or change.get("lastUpdated")))
        facts.title = text(change.get("summary")) or facts.title
        for said in (line, *items(change.get("messages"))):
            if known_id(said.get("id")) and (told := _message(said, facts)):
                spent.keep(told)
    if facts is not None:
        facts.tokens = spent.total()
    return facts


def _message(said: Json, facts: Facts) -> Json | None:
    kind, used = text(said.get("type")), table(said.get("tokens"))
    parts = _parts(said)
    words = "\n".join(part["text"] for part in parts if part["type"] == "text")
    if kind not in ("user", "gemini") or words.startswith(_CONTEXT):
        return None
    if kind == "user":
        facts.name_after(words)
    facts.model = text(said.get("model")) or facts.model
    role = "assistant" if kind == "gemini" else "user" if words or not parts else "tool"
    tokens = tokens_of(*(whole(used.get(name)) for name in ("input", "output", "cached"))) if used else {}
    at = moment(said.get("timestamp"))
    return message(said["id"], role=role, at=at, parts=parts, model=text(said.get("model")), tokens=tokens)


def _parts(said: Json) -> list[Json]:
    stem, content = said["id"][:150], said.get("content")
    blocks = [{"text": content}] if isinstance(content, str) else items(content)
    parts = [
        spoken(f"{stem}-thought-{index}", text(thought.get("description")), "reasoning")
        for index, thought in enumerate(items(said.get("thoughts")))
    ]
    parts += [part for index, block in enumerate(blocks) if (part := _part(f"{stem}-{index}", block))]
    return parts + [_call(f"{stem}-call-{index}", call) for index, call in enumerate(items(said.get("toolCalls")))]


def _part(part_id: str, block: Json) -> Json | None:
    given = table(block.get("functionResponse"))
    if given:
        return tool_result(part_id, call_id=text(given.get("id")), output=given.get("response"))
    words = text(block.get("text"))
    return spoken(part_id, words) if words else None


def _call(part_id: str, call: Json) -> Json:
    told = tool_call(part_id, tool=text(call.get("name")), call_id=text(call.get("id")), given=call.get("args"))
    shown = table(call.get("resultDisplay"))
    told["state"] |= {"status": "completed" if call.get("status") == "success" else text(call.get("status"))}
    return {**told, "state": {**told["state"], "diff": shown["fileDiff"]}} if text(shown.get("fileDiff")) else told
