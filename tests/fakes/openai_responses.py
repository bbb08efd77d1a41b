"""OpenAI's responses, as a scripted model speaks them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.model_script import Ask, Step

_USED = {
    "input_tokens": 110, "input_tokens_details": {"cached_tokens": 10}, "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 130,
}  # fmt: skip


class Responses:
    """OpenAI's /v1/responses."""

    first_word = 3

    def parse(self, body: Mapping[str, Any], path: str) -> Ask:
        prompt, turn, answering = "", 0, False
        items = [item for item in body.get("input", []) if isinstance(item, Mapping)]
        for item in items:
            kind, role = item.get("type", "message"), item.get("role")
            if role == "user":
                prompt, turn = _plain(item.get("content")), 0
            # One answer of the model may be several items, and any output of a tool ends it.
            said = kind in ("function_call", "custom_tool_call") or role == "assistant"
            turn += said and not answering
            answering = said
        return Ask(prompt, turn, bool(body.get("tools")), str(body.get("model")), items)

    def stream(self, ask: Ask, step: Step) -> Iterator[str]:
        response = {"id": f"resp_{uuid.uuid4().hex[:16]}", "object": "response", "model": ask.model, "output": []}
        items = _items(step)
        yield json.dumps({"type": "response.created", "response": {**response, "status": "in_progress"}})
        for index, item in enumerate(items):
            begun = {**item, "content": []} if item["type"] == "message" else item
            yield json.dumps({"type": "response.output_item.added", "output_index": index, "item": begun})
            if item["type"] == "message":
                yield from _words(index, item)
            yield json.dumps({"type": "response.output_item.done", "output_index": index, "item": item})
        ended = {**response, "status": "completed", "output": items, "usage": _USED}
        yield json.dumps({"type": "response.completed", "response": ended})

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
        return {"error": {"message": message, "type": kind if status < 500 else "server_error"}}


def _items(step: Step) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if step.text:
        content = [{"type": "output_text", "text": step.text, "annotations": []}]
        items.append({"type": "message", "id": _id("msg"), "role": "assistant", "content": content})
    for tool, args in step.calls:
        made = {"call_id": _id("call"), "name": tool, "status": "completed"}
        if tool == "apply_patch":  # a tool whose argument is free text
            items.append({"type": "custom_tool_call", "id": _id("ctc"), "input": args["input"], **made})
        else:
            items.append({"type": "function_call", "id": _id("fc"), "arguments": json.dumps(args), **made})
    return items


def _words(index: int, item: Mapping[str, Any]) -> Iterator[str]:
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    text = item["content"][0]["text"]
    part = {"type": "output_text", "text": "", "annotations": []}
    yield json.dumps({"type": "response.content_part.added", **place, "part": part})
    for word in text.split(" "):
        yield json.dumps({"type": "response.output_text.delta", **place, "delta": word + " "})
    yield json.dumps({"type": "response.output_text.done", **place, "text": text})


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:12]}"


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content or ())
