"""Anthropic's messages, as a scripted model speaks them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.model_script import Ask, Step

_USED = {"input_tokens": 100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 10}


class Messages:
    """Anthropic's /v1/messages."""

    first_word = 2

    def parse(self, body: Mapping[str, Any], path: str) -> Ask:
        prompt, turn = "", 0
        for message in body.get("messages", []):
            if message["role"] == "assistant":
                turn += 1
            elif message["role"] == "user" and not _is_result(message["content"]):
                prompt, turn = _plain(message["content"]), 0
        whole = not body.get("stream")
        return Ask(prompt, turn, bool(body.get("tools")), str(body.get("model")), body.get("messages", []), whole)

    def stream(self, ask: Ask, step: Step) -> Iterator[str]:
        blocks: list[dict[str, Any]] = [{"type": "text", "text": step.text}] if step.text else []
        for tool, args in step.calls:
            blocks.append({"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:16]}", "name": tool, "input": args})
        message = {
            "id": f"msg_{uuid.uuid4().hex[:16]}", "type": "message", "role": "assistant", "model": ask.model,
            "stop_sequence": None,
        }  # fmt: skip
        reason = "tool_use" if step.calls else "end_turn"
        if ask.whole:
            yield json.dumps(
                {**message, "content": blocks, "stop_reason": reason, "usage": _USED | {"output_tokens": 20}}
            )
            return
        begun = {**message, "content": [], "stop_reason": None, "usage": _USED | {"output_tokens": 1}}
        yield json.dumps({"type": "message_start", "message": begun})
        for index, block in enumerate(blocks):
            yield from _block(index, block)
        ended = {"stop_reason": reason, "stop_sequence": None}
        yield json.dumps({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 20}})
        yield json.dumps({"type": "message_stop"})

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
        return {"type": "error", "error": {"type": kind if status < 500 else "api_error", "message": message}}


def _block(index: int, block: Mapping[str, Any]) -> Iterator[str]:
    """One block of the answer: its beginning, what is in it piece by piece, its end."""
    if block["type"] == "text":
        empty: Mapping[str, Any] = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": word + " "} for word in block["text"].split(" ")]
    else:
        empty = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    yield json.dumps({"type": "content_block_start", "index": index, "content_block": empty})
    for delta in deltas:
        yield json.dumps({"type": "content_block_delta", "index": index, "delta": delta})
    yield json.dumps({"type": "content_block_stop", "index": index})


def _is_result(content: Any) -> bool:
    return not isinstance(content, str) and any(part.get("type") == "tool_result" for part in content)


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content)
