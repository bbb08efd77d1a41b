"""What the programs print line by line when they are run for one prompt, as updates like the protocol's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from codetether_worker.agents.launch import Tokens, Update

Line = Mapping[str, Any]
_EDITING = frozenset({"Edit", "MultiEdit", "NotebookEdit", "Write"})


@dataclass(slots=True)
class CliTurn:
    """What the lines of one run have told so far. `done` is set by the terminal line alone.

    `refused` is what the program was not permitted to do. `cost_usd` is that of the run.
    """

    session_id: str | None = None
    done: bool = False
    error: str | None = None
    tokens: Tokens | None = None
    cost_usd: float | None = None
    refused: list[str] = field(default_factory=list)


ReadLine = Callable[[Line, CliTurn], Iterator[Update]]


def read_claude(line: Line, turn: CliTurn) -> Iterator[Update]:
    """One line of `claude -p --output-format stream-json`."""
    turn.session_id = _text(line.get("session_id")) or turn.session_id
    match line.get("type"):
        case "assistant" | "user":
            message = _object(line.get("message"))
            for block in _objects(message.get("content")):
                yield from _claude_block(block, _text(message.get("id")))
        case "result":
            _end_claude(line, turn)


def _claude_block(block: Line, message_id: str) -> Iterator[Update]:
    match block.get("type"):
        case "text":
            yield _said(_text(block.get("text")), message_id)
        case "thinking":
            yield _said(_text(block.get("thinking")), message_id, kind="agent_thought_chunk")
        case "tool_use":
            name, args = _text(block.get("name")), _object(block.get("input"))
            path = _text(args.get("file_path") or args.get("notebook_path"))
            edited = [path] if name in _EDITING and path else []
            yield _call(_text(block.get("id")), name, args, edited=edited)
        case "tool_result":
            content = block.get("content")
            texts = [_text(part.get("text")) for part in _objects(content)]
            text = content if isinstance(content, str) else "\n".join(texts)
            yield _result(_text(block.get("tool_use_id")), text, failed=block.get("is_error") is True)


def _end_claude(line: Line, turn: CliTurn) -> None:
    """An error of the provider may call itself a success: `is_error` counts."""
    turn.done = True
    errors = line.get("errors")
    told = "; ".join(map(str, errors)) if isinstance(errors, list) and errors else _text(line.get("result"))
    if line.get("is_error") is True or line.get("subtype") != "success":
        turn.error = told or _text(line.get("subtype")) or "Claude Code ended without saying why"
    turn.refused += [_text(denial.get("tool_name")) for denial in _objects(line.get("permission_denials"))]
    used = _object(line.get("usage"))
    turn.tokens = Tokens(
        _count(used.get("input_tokens")), _count(used.get("output_tokens")), _count(used.get("cache_read_input_tokens"))
    )
    cost = line.get("total_cost_usd")
    turn.cost_usd = float(cost) if isinstance(cost, int | float) else None


def read_codex(line: Line, turn: CliTurn) -> Iterator[Update]:
    """One line of `codex exec --json`."""
    match line.get("type"):
        case "thread.started":
            turn.session_id = _text(line.get("thread_id")) or None
        case "item.started" | "item.completed":
            item = _object(line.get("item"))
            yield from _codex_item(item, ended=line["type"] == "item.completed", turn=turn)
        case "turn.completed":
            turn.done = True
            used = _object(line.get("usage"))
            cached = _count(used.get("cached_input_tokens"))
            turn.tokens = Tokens(_count(used.get("input_tokens")) - cached, _count(used.get("output_tokens")), cached)
        case "turn.failed":
            turn.done = True
            turn.error = _text(_object(line.get("error")).get("message")) or "Codex ended without saying why"


def _codex_item(item: Line, *, ended: bool, turn: CliTurn) -> Iterator[Update]:
    """What is said comes when it is complete; a call comes twice, before and after."""
    kind, item_id = item.get("type"), _text(item.get("id"))
    if kind in ("agent_message", "reasoning"):
        if ended:
            spoken = "agent_message_chunk" if kind == "agent_message" else "agent_thought_chunk"
            yield _said(_text(item.get("text")), item_id, kind=spoken)
        return
    if kind not in ("command_execution", "file_change", "mcp_tool_call", "web_search"):
        return
    edited = [_text(change.get("path")) for change in _objects(item.get("changes"))]
    name = {"command_execution": "shell", "file_change": "apply_patch"}.get(kind) or _text(item.get("tool")) or kind
    args = {key: item[key] for key in ("command", "query", "arguments") if key in item}
    yield _call(item_id, name, args, edited=edited)
    if ended:
        if item.get("status") == "declined":
            turn.refused.append(_text(item.get("command")) or name)
        yield _result(item_id, _text(item.get("aggregated_output")), failed=item.get("status") != "completed")


def _said(text: str, message_id: str, kind: str = "agent_message_chunk") -> Update:
    return {"sessionUpdate": kind, "messageId": message_id, "content": {"type": "text", "text": text}}


def _call(call_id: str, name: str, args: Line, *, edited: list[str]) -> Update:
    return {
        "sessionUpdate": "tool_call", "toolCallId": call_id, "title": name, "toolName": name, "status": "in_progress",
        "kind": "edit" if edited else "other", "rawInput": dict(args),
        "content": [{"type": "diff", "path": path} for path in edited],
    }  # fmt: skip


def _result(call_id: str, text: str, *, failed: bool) -> Update:
    content = [{"type": "content", "content": {"type": "text", "text": text}}]
    status = "failed" if failed else "completed"
    return {"sessionUpdate": "tool_call_update", "toolCallId": call_id, "status": status, "content": content}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _object(value: object) -> Line:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[Line]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
