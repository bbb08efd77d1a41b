"""OpenAI's chat completions, as a scripted model speaks them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.model_script import Ask, Step


class ChatCompletions:
    """OpenAI's /v1/chat/completions."""

    first_word = 1

    def parse(self, body: Mapping[str, Any], path: str) -> Ask:
        prompt, turn = "", 0
        for message in body.get("messages", []):
            if message["role"] == "user":
                prompt, turn = _plain(message["content"]), 0
            elif message["role"] == "assistant":
                turn += 1
        return Ask(prompt, turn, bool(body.get("tools")), str(body.get("model")), body.get("messages", []))

    def stream(self, ask: Ask, step: Step) -> Iterator[str]:
        answer_id = f"chatcmpl-{uuid.uuid4().hex[:12]}"

        def chunk(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            body = {"id": answer_id, "object": "chat.completion.chunk", "created": 0, "model": ask.model}
            return json.dumps({**body, "choices": [choice], **more})

        yield chunk({"role": "assistant", "content": ""})
        if step.reasoning:
            yield chunk({"reasoning_content": step.reasoning})
        for word in step.text.split(" ") if step.text else ():
            yield chunk({"content": word + " "})
        for index, (tool, args) in enumerate(step.calls):
            function = {"name": tool, "arguments": json.dumps(args)}
            call_id = f"call_{uuid.uuid4().hex[:10]}"
            yield chunk({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]})
        usage = {"prompt_tokens": 110, "completion_tokens": 20, "total_tokens": 130}
        usage["prompt_tokens_details"] = {"cached_tokens": 10}  # type: ignore[assignment]
        yield chunk({}, "tool_calls" if step.calls else "stop", usage=usage)
        yield "[DONE]"

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
        return {"error": {"message": message, "type": kind if status < 500 else "server_error"}}


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content)
