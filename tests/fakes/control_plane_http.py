"""The HTTP side of the fake control plane: JSON calls, one event stream, a bearer token."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

TOKEN = "wrk-test-token"


class Refusal(Exception):
    """Answered as {"detail", "code"} with this status."""

    def __init__(self, status: int, code: str, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class Plane(Protocol):
    """What answers the calls."""

    requests: list[tuple[str, str]]
    streams_open: int
    stream_status: int

    def change(self) -> AbstractContextManager[None]: ...

    def handle(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]: ...

    def hints(self, worker_id: str, running: Callable[[], bool]) -> Iterator[tuple[str, dict[str, Any]]]: ...

    def give_file(self, file_id: str) -> bytes: ...

    def take_file(self, path: str, token: str, name: str, media_type: str, content: bytes) -> dict[str, Any]: ...


class PlaneServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], plane: Plane) -> None:
        self.plane = plane
        self.stopped = False
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not self.stopped:
            super().handle_error(request, client_address)

    def cut_connections(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PlaneServer

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the tests read `requests`."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        plane = self.server.plane
        with plane.change():
            plane.requests.append(("GET", parts.path))
        if not self._allowed():
            return
        if parts.path.startswith("/v1/worker/files/"):
            self._answered(lambda: plane.give_file(parts.path.rpartition("/")[2]))
            return
        if parts.path != "/v1/worker/tasks/stream" or plane.stream_status != 200:
            self._answer(404 if plane.stream_status == 200 else plane.stream_status, {"code": "no_stream"})
            return
        self._stream(parse_qs(parts.query)["worker_id"][0])

    def _stream(self, worker_id: str) -> None:
        plane = self.server.plane
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        with plane.change():
            plane.streams_open += 1
        try:
            for event, data in plane.hints(worker_id, lambda: not self.server.stopped):
                self.wfile.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
        except OSError:
            self.close_connection = True
        finally:
            with plane.change():
                plane.streams_open -= 1

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._allowed():
            return
        parts, plane = urlsplit(self.path), self.server.plane
        if parts.path.endswith("/files"):
            told = [self.headers.get("X-Claim-Token", ""), parse_qs(parts.query)["name"][0]]
            media_type = self.headers.get("Content-Type", "")
            self._answered(lambda: plane.take_file(parts.path, *told, media_type, raw))
        else:
            self._answered(lambda: plane.handle(self.command, parts.path, json.loads(raw or b"{}")))

    do_PUT = do_POST

    def _answered(self, work: Callable[[], dict[str, Any] | bytes]) -> None:
        try:
            self._answer(200, work())
        except Refusal as refusal:
            extra = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after is not None else {}
            self._answer(refusal.status, {"detail": refusal.code, "code": refusal.code}, extra)

    def _allowed(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self._answer(401, {"detail": "no valid token", "code": "unauthenticated"})
        return False

    def _answer(self, status: int, body: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
