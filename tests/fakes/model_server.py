"""A language model made of a script: real agent programs talk to it over HTTP on loopback.

The script says, for a word in the user's prompt, what the model answers turn by turn. Which turn it is follows
from the conversation in the request, so retries and side requests (titles) consume nothing. Each vendor's API is
one `Dialect`, found by the path of the request.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.anthropic_messages import Messages
from tests.fakes.chat_completions import ChatCompletions
from tests.fakes.gemini_api import GenerateContent
from tests.fakes.model_script import Ask, Dialect, Step, call, fail, say
from tests.fakes.openai_responses import Responses

__all__ = ["API_KEY", "MODEL", "Ask", "ModelServer", "Step", "call", "fail", "say"]

API_KEY = "sk-scripted-0123456789"
MODEL = "fake-1"


# By a part of the request's path.
DIALECTS: dict[str, Dialect] = {
    "/chat/completions": ChatCompletions(),
    "enerateContent": GenerateContent(),
    "/messages": Messages(),
    "/responses": Responses(),
}


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
    def root_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def base_url(self) -> str:
        return f"{self.root_url}/v1"

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

    def do_HEAD(self) -> None:
        """Claude Code asks first whether anybody is there."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        dialect = next((dialect for part, dialect in DIALECTS.items() if part in self.path), None)
        if dialect is None:
            self._json(404, {"error": {"message": "not found", "type": "invalid_request_error"}})
            return
        ask = dialect.parse(body, self.path)
        step = self.server.model.next_step(ask)
        if step.error is not None:
            self._json(step.error, dialect.error(step.error, step.text))
            return
        if ask.whole:
            self._json(200, json.loads("".join(dialect.stream(ask, step))))
        else:
            self._stream(dialect.stream(ask, step), hold_at=dialect.first_word if step.hold else None)

    def _stream(self, lines: Iterator[str], *, hold_at: int | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        for index, line in enumerate(lines):
            kind = json.loads(line).get("type") if line.startswith("{") else None
            named = f"event: {kind}\n" if kind else ""
            self.wfile.write(f"{named}data: {line}\n\n".encode())
            if index == hold_at:
                self.server.model.held.set()
                self.server.model.go_on.wait(60)

    def _json(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
