"""The part of Keycloak's admin REST API that concerns clients, on loopback; it keeps what it is told."""

from __future__ import annotations

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

ADMIN = {"username": "root", "password": "the administrator's"}
Json = dict[str, Any]
Reply = tuple[int, Any]
CLIENTS = ["admin", "realms", "shop", "clients"]


class KeycloakAdmin:
    """Use it as a context manager. `clients` are the representations, by their key; `written` counts writes."""

    def __init__(self) -> None:
        self.clients: dict[str, Json] = {}
        self.roles: dict[str, list[Json]] = {}
        self.mappers: dict[str, dict[str, Json]] = {}
        self.written = 0
        self._bearer = uuid.uuid4().hex
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keycloak = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                status, said = keycloak._answer(self.command, self.path, body, self.headers.get("authorization", ""))
                content = b"" if said is None else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = _serve

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def _answer(self, method: str, target: str, body: str, authorization: str) -> Reply:
        address = urlsplit(target)
        if address.path == "/realms/master/protocol/openid-connect/token":
            form = {name: values[0] for name, values in parse_qs(body).items()}
            good = form == {"grant_type": "password", "client_id": "admin-cli", **ADMIN}
            return (200, {"access_token": self._bearer}) if good else (401, {"error": "invalid_grant"})
        if authorization != f"Bearer {self._bearer}":
            return 401, {"error": "HTTP 401 Unauthorized"}
        steps = address.path.strip("/").split("/")
        if steps[:4] != CLIENTS:
            return 404, {"error": "Realm not found."}
        if method != "GET":
            self.written += 1
        return self._of_clients(method, steps[4:], parse_qs(address.query), json.loads(body) if body else {})

    def _of_clients(self, method: str, steps: list[str], query: dict[str, list[str]], said: Json) -> Reply:
        match method, steps:
            case "GET", []:
                return 200, [one for one in self.clients.values() if [one["clientId"]] == query["clientId"]]
            case "POST", []:
                key = str(uuid.uuid4())
                self.clients[key] = {**said, "id": key, "secret": "made by Keycloak"}
                self.roles[key], self.mappers[key] = [], {}
                return 201, None
            case "PUT", [key]:
                self.clients[key] = said
                return 204, None
            case "GET", [key, "client-secret"]:
                return 200, {"type": "secret", "value": self.clients[key]["secret"]}
            case "GET", [key, "roles"]:
                return 200, self.roles[key]
            case "POST", [key, "roles"]:
                self.roles[key].append(said)
                return 201, None
            case "GET", [key, "protocol-mappers", "models"]:
                return 200, list(self.mappers[key].values())
            case "POST", [key, "protocol-mappers", "models"]:
                made = str(uuid.uuid4())
                self.mappers[key][made] = {**said, "id": made}
                return 201, None
            case "PUT", [key, "protocol-mappers", "models", made]:
                self.mappers[key][made] = said
                return 204, None
        return 404, {"error": "unknown"}
