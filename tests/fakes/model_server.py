"""A language model made of a script: real agent programs talk to it over HTTP on loopback.

The script says, for a word in the user's prompt, what the model answers turn by turn. Which turn it is follows
from the conversation in the request, so retries and side requests (titles) consume nothing. One dialect is
here, OpenAI's chat completions with streaming and tools; another one is another `Dialect`.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

API_KEY = "sk-scripted-0123456789"
MODEL = "fake-1"


@dataclass(frozen=True)
class Step:
    """One answer of the model: some text, then tool calls; or an HTTP error instead.

    `hold` makes the answer stop after its first word until the server is told to go on.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    error: int | None = None
    hold: bool = False


def say(text: str, *, reasoning: str = "", hold: bool = False) -> Step:
    return Step(text=text, reasoning=reasoning, hold=hold)


def call(tool: str, text: str = "", **args: Any) -> Step:
    return Step(text=text, calls=((tool, args),))


def fail(status: int, message: str) -> Step:
    return Step(error=status, text=message)


@dataclass(frozen=True)
class Ask:
    """What a request comes down to: the last thing the user said, and how often the model has answered it."""

    prompt: str
    turn: int
    offers_tools: bool
    model: str
    conversation: Sequence[Mapping[str, Any]] = field(repr=False)


class Dialect(Protocol):
    """How one vendor's API spells a request, an answer and an error."""

    def parse(self, body: Mapping[str, Any]) -> Ask: ...

    def stream(self, ask: Ask, step: Step) -> Iterator[str]:
        """The answer as lines of an event stream; the caller pauses after the second line of a held step."""
        ...

    def error(self, status: int, message: str) -> dict[str, Any]: ...


class ChatCompletions:
    """OpenAI's /v1/chat/completions."""

    def parse(self, body: Mapping[str, Any]) -> Ask:
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


DIALECTS: dict[str, Dialect] = {"/v1/chat/completions": ChatCompletions()}


class ModelServer:
    """`script` maps a word of the prompt to the steps; the last step is repeated if more turns come.

    `asked` collects the requests that offered tools, in order. `held` is set while an answer is being held
    back; `go_on` lets it continue.
    """

    def __init__(self, script: Mapping[str, Sequence[Step]]) -> None:
        self.script = dict(script)
        self.asked: list[Ask] = []
        self.held = threading.Event()
        self.go_on = threading.Event()
        self._http = _Server(("127.0.0.1", 0), self)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> ModelServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def next_step(self, ask: Ask) -> Step:
        if not ask.offers_tools:
            return say("A scripted title")
        self.asked.append(ask)
        steps = next((steps for word, steps in self.script.items() if word in ask.prompt), (say("ok"),))
        return steps[min(ask.turn, len(steps) - 1)]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], model: ModelServer) -> None:
        self.model = model
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is what cancel tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        dialect = DIALECTS.get(self.path.split("?")[0])
        if dialect is None:
            self._json(404, {"error": {"message": "not found", "type": "invalid_request_error"}})
            return
        ask = dialect.parse(body)
        step = self.server.model.next_step(ask)
        if step.error is not None:
            self._json(step.error, dialect.error(step.error, step.text))
            return
        self._stream(dialect.stream(ask, step), hold=step.hold)

    def _stream(self, lines: Iterator[str], *, hold: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        for index, line in enumerate(lines):
            self.wfile.write(f"data: {line}\n\n".encode())
            if hold and index == 1:
                self.server.model.held.set()
                self.server.model.go_on.wait(60)

    def _json(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
