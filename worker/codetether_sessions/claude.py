"""Claude Code's sessions: `projects/<slug of the folder>/<session>.jsonl`, one line for each thing that happened.

An answer of the model is written as several lines, one for each block, which are joined here again.
"""

from __future__ import annotations

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

SOURCE = "claude"
_TITLES = {"summary": "summary", "ai-title": "aiTitle", "custom-title": "customTitle"}


def list_entries(store: Path) -> list[Entry]:
    """The sessions below `store` (Claude's `projects` folder), also those of sub-agents, in no order."""
    return file_entries(store, (*store.glob("*/*.jsonl"), *store.glob("*/*/subagents/*.jsonl")))


def mark_of(store: Path, key: str) -> str:
    return file_mark(store / key)


def identify(store: Path, entry: Entry) -> Identity:
    folders = (text(line.get("cwd")) for _, line in json_lines(store / entry.key))
    return Identity(Path(entry.key).stem, next(filter(None, folders), ""))


def read_head(store: Path, key: str) -> Head | None:
    return counted(lambda keep: read_session(store, key, keep))


def read_session(store: Path, key: str, keep: Keep) -> Facts | None:
    """The session, its messages given to `keep` in order; None when it has none."""
    path = store / key
    facts, spent, found = Facts(path.stem), Spent(keep), False
    answer = _Answer(spent.keep)
    for _, line in json_lines(path):
        kind = text(line.get("type"))
        if kind in _TITLES:
            facts.title = text(line.get(_TITLES[kind])) or facts.title
        elif kind in ("user", "assistant") and known_id(line.get("uuid")) and not line.get("isMeta"):
            found = True
            _note(facts, line)
            take = answer.answered if kind == "assistant" else answer.asked
            take(line)
    answer.end()
    facts.tokens = spent.total()
    return facts if found else None


def _note(facts: Facts, line: Json) -> None:
    said = table(line.get("message"))
    facts.saw(moment(line.get("timestamp")))
    facts.directory = facts.directory or text(line.get("cwd"))
    facts.model = text(said.get("model")) or facts.model
    if known_id(line.get("sessionId")) != facts.id:
        facts.parent_id = known_id(line.get("sessionId"))
    if line.get("type") == "user" and isinstance(said.get("content"), str):
        facts.name_after(said["content"])


class _Answer:
    """Joins the lines of one answer (they share the model's message id) into one message."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._model_id = ""
        self._open: Json | None = None

    def answered(self, line: Json) -> None:
        said = table(line.get("message"))
        model_id = text(said.get("id"))
        if self._open is None or not model_id or model_id != self._model_id:
            self.end()
            self._model_id = model_id
            self._open = message(
                line["uuid"], role="assistant", at=moment(line.get("timestamp")), parts=[],
                model=text(said.get("model")),
            )  # fmt: skip
        self._open["parts"] += _parts(line["uuid"], said.get("content"))
        self._open["tokens"] = _tokens(table(said.get("usage")))

    def asked(self, line: Json) -> None:
        """What a person said, or what a tool gave back."""
        self.end()
        parts = _parts(line["uuid"], table(line.get("message")).get("content"))
        from_tools = bool(parts) and all(part["type"] == "tool_result" for part in parts)
        role = "tool" if from_tools else "user"
        self._keep(message(line["uuid"], role=role, at=moment(line.get("timestamp")), parts=parts))

    def end(self) -> None:
        if self._open is not None:
            self._keep(self._open)
        self._open = None


def _tokens(usage: Json) -> Json:
    return tokens_of(
        whole(usage.get("input_tokens")),
        whole(usage.get("output_tokens")),
        whole(usage.get("cache_read_input_tokens")),
    )


def _parts(uuid: str, content: object) -> list[Json]:
    if isinstance(content, str):
        return [spoken(uuid, content)]
    return [_part(f"{uuid}-{index}"[-200:], block) for index, block in enumerate(items(content))]


def _part(part_id: str, block: Json) -> Json:
    kind = text(block.get("type"))
    if kind == "text":
        return spoken(part_id, text(block.get("text")))
    if kind == "thinking":
        return spoken(part_id, text(block.get("thinking")), "reasoning")
    if kind == "tool_use":
        call_id = text(block.get("id"))
        return tool_call(part_id, tool=text(block.get("name")), call_id=call_id, given=block.get("input"))
    if kind == "tool_result":
        failed = block.get("is_error") is True
        call_id = text(block.get("tool_use_id"))
        return tool_result(part_id, call_id=call_id, output=_output(block.get("content")), failed=failed)
    return {"id": part_id, "type": kind or "unknown"}  # pictures and the like: that they were there, not what


def _output(content: object) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(text(block.get("text")) or f"[{text(block.get('type'))}]" for block in items(content))
