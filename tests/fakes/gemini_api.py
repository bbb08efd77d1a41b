"""Google's generateContent and streamGenerateContent, as a scripted model speaks them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.model_script import Ask, Step

_USED = {"promptTokenCount": 110, "candidatesTokenCount": 20, "cachedContentTokenCount": 10, "totalTokenCount": 130}
# What the program's own small questions want: which model is good enough for the prompt, and who speaks next.
_CHOICE = json.dumps(
    {"complexity_reasoning": "short", "complexity_score": 10, "reasoning": "short", "model_choice": "flash",
     "next_speaker": "user"}
)  # fmt: skip
_NAME = re.compile(r"/models/([^/:]+):")


class GenerateContent:
    """Gemini's API; which model is asked, and whether the answer is a stream, stands in the path."""

    first_word = 1

    def parse(self, body: Mapping[str, Any], path: str) -> Ask:
        prompt, turn = "", 0
        for content in body.get("contents", []):
            parts = content.get("parts", [])
            if content.get("role") == "model":
                turn += 1
            elif not any("functionResponse" in part for part in parts):
                prompt, turn = " ".join(str(part.get("text", "")) for part in parts), 0
        tools = any(tool.get("functionDeclarations") for tool in body.get("tools") or ())
        name = _NAME.search(path)
        whole = "streamGenerateContent" not in path
        return Ask(prompt, turn, tools, name.group(1) if name else "", body.get("contents", []), whole)

    def stream(self, ask: Ask, step: Step) -> Iterator[str]:
        parts = [{"text": step.reasoning, "thought": True}] if step.reasoning else []
        parts += [{"text": word + " "} for word in step.text.split(" ") if word]
        for tool, args in step.calls:
            parts.append({"functionCall": {"id": f"fc-{uuid.uuid4().hex[:8]}", "name": tool, "args": dict(args)}})
        if ask.whole and not ask.offers_tools:
            parts = [{"text": _CHOICE}]  # a title in its place would be asked for again and again
        if ask.whole:
            yield self._chunk(ask, parts, last=True)
            return
        for index, part in enumerate(parts):
            yield self._chunk(ask, [part], last=index == len(parts) - 1)

    def _chunk(self, ask: Ask, parts: list[Any], *, last: bool) -> str:
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
        if last:
            candidate["finishReason"] = "STOP"
        return json.dumps({"candidates": [candidate], "usageMetadata": _USED, "modelVersion": ask.model})

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {
            "error": {"code": status, "message": message, "status": "UNAUTHENTICATED" if status == 401 else "FAILED"}
        }
