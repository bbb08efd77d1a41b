"""A session's messages as a person reads them: text, reasoning, each tool call with its result, changes as diffs.

Pure: messages in, turns out. Programs say what they like: what is not of the expected form is shown as it is or left
out, and never breaks the page.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.core.blocks import Block, diff_lines
from apps.core.spending import spending
from apps.sessions.models import SessionMessage
from codetether_sessions.shape import Json, items, table, text

AROUND = 10
"""A result is shown with its call where it came at most so many messages later; else by itself."""
FAILED = frozenset({"error", "failed"})
LEFT_OUT = frozenset({"step-start", "step-finish", "snapshot"})
"""Parts by which programs keep books; what they tell stands elsewhere."""


@dataclass(slots=True)
class Turn:
    """One message. `seq` is its place in the session, from 1; `last` that of the last message that joined it."""

    seq: int
    message_id: str
    role: str
    at: datetime
    model: str
    spent: str
    last: int
    blocks: list[Block] = field(default_factory=list)


def turns(messages: Iterable[SessionMessage], first: int) -> list[Turn]:
    """The messages of a session, or of a piece of one that begins at the place `first`."""
    found: list[Turn] = []
    for place, message in enumerate(messages, first):
        turn = Turn(place, message.message_id, message.role, message.created_at, message.model,
                    spending(message.usage), place)  # fmt: skip
        has_joined = _read(message, turn, found)
        if turn.blocks or not has_joined:
            found.append(turn)
    return found


def _read(message: SessionMessage, turn: Turn, before: list[Turn]) -> bool:
    """Fill in the turn's blocks; whether something of it has joined another turn's."""
    has_joined = False
    for part in message.parts.all():
        data = table(part.data)
        if part.kind == "tool_result" and (call := _call_of(data, turn, before)):
            _answer(call, table(data.get("state")), turn.seq)
            has_joined = True
        elif part.kind not in LEFT_OUT:
            turn.blocks += READERS.get(part.kind, _unknown)(part.kind, data, turn)
    if message.text and not any(block.kind == "text" for block in turn.blocks):
        turn.blocks.insert(0, _block("text", turn, text=message.text))
    turn.blocks += _error(message.data.get("error"), turn)
    return has_joined


def _call_of(data: Json, turn: Turn, before: list[Turn]) -> Block | None:
    """The call that a result answers, if it is near enough and has no answer yet."""
    call_id = text(data.get("callID"))
    near = [turn, *(other for other in reversed(before) if turn.seq - other.seq <= AROUND)]
    for other in near if call_id else ():
        for block in other.blocks:
            if block.kind == "tool" and block.open and block.call_id == call_id:
                other.last = max(other.last, turn.seq)
                return block
    return None


def _block(kind: str, turn: Turn, **more: Any) -> Block:
    return Block(kind, turn.seq, turn.at, **more)


def _answer(call: Block, state: Json, seq: int) -> None:
    """Write what came of a call into its block."""
    said, failure, status = state.get("output"), state.get("error"), text(state.get("status"))
    call.text = _words(said if said not in (None, "") else failure)
    call.tone = "danger" if status in FAILED or failure else "success" if status in ("", "completed") else ""
    call.open, call.last = call.tone == "", seq


def _text(kind: str, data: Json, turn: Turn) -> list[Block]:
    said = text(data.get("text"))
    return [_block(kind, turn, text=said)] if said.strip() else []


def _tool(kind: str, data: Json, turn: Turn) -> list[Block]:
    state, tool = table(data.get("state")), text(data.get("tool")) or "tool"
    call = _block("tool", turn, title=text(state.get("title")) or _about(tool, state.get("input")), by=tool,
                  folded=_words(state.get("input")), call_id=text(data.get("callID")), open=True)  # fmt: skip
    if text(state.get("status")) or "output" in state:
        _answer(call, state, turn.seq)
    return [call, *_diff(state, turn)]


def _about(tool: str, given: object) -> str:
    """A call in a few words: its tool and the first thing that it was given."""
    first = next((value for value in table(given).values() if isinstance(value, str)), "")
    line = " ".join(first.split())
    return f"{tool} {line[:100]}".strip()


def _diff(state: Json, turn: Turn) -> list[Block]:
    """What a call changed, where the program tells it."""
    more = table(state.get("metadata"))
    diff = text(more.get("diff")) or text(state.get("diff"))
    given = table(state.get("input"))
    names = (given.get(name) for name in ("filePath", "file_path", "path", "file"))
    name = next((name for name in names if isinstance(name, str)), "")
    return [_block("file", turn, title=name or "Changes", by="modified", lines=diff_lines(diff))] if diff else []


def _tool_result(kind: str, data: Json, turn: Turn) -> list[Block]:
    block = _block("tool", turn, title="Result of an earlier call", by=text(data.get("tool")))
    _answer(block, table(data.get("state")), turn.seq)
    return [block]


def _file(kind: str, data: Json, turn: Turn) -> list[Block]:
    name = text(data.get("filename")) or "a file"
    return [_block("step", turn, title=f"Attached {name}", by=text(data.get("mime")))]


def _patch(kind: str, data: Json, turn: Turn) -> list[Block]:
    given = data.get("files")
    names = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
    names += [text(one.get("path")) or text(one.get("file")) for one in items(given)]
    return [_block("step", turn, title="Changed files", text="\n".join(filter(None, names)))]


def _retry(kind: str, data: Json, turn: Turn) -> list[Block]:
    return _error(data.get("error") or "The program tried again.", turn)


def _compaction(kind: str, data: Json, turn: Turn) -> list[Block]:
    return [_block("step", turn, title="What was said before was summed up")]


def _unknown(kind: str, data: Json, turn: Turn) -> list[Block]:
    """A kind that is not known here: shown as it is rather than hidden."""
    return [_block("step", turn, title=kind, text=_words(data))]


def _error(said: object, turn: Turn) -> list[Block]:
    """OpenCode's `{name, data {message}}`, a text, or whatever it is."""
    if not said:
        return []
    told = table(said)
    words = text(table(told.get("data")).get("message")) or text(told.get("message")) or _words(said)
    name = text(told.get("name"))
    return [_block("step", turn, title=f"Failed ({name})" if name else "Failed", text=words, tone="danger")]


def _words(value: object) -> str:
    """A text as it is, anything else as JSON; nothing of nothing."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False) if value not in (None, {}, []) else ""


READERS: dict[str, Callable[[str, Json, Turn], list[Block]]] = {
    "text": _text,
    "reasoning": _text,
    "tool": _tool,
    "tool_result": _tool_result,
    "file": _file,
    "patch": _patch,
    "retry": _retry,
    "compaction": _compaction,
}
