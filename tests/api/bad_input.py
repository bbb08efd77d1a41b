"""The table behind the bad-input test: every route of both lanes, and what a good call looks like.

A new route needs one line in ROUTES (the test fails until it has one). `good` is a body in which every field is there,
with the right type; each field is then sent with wrong types (`spoilt_input`). Ids in the path are those of `Place`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import httpx
from django.urls import URLPattern, URLResolver, get_resolver
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as StarletteRoute

from apps.accounts.permissions import Scope
from codetether.asgi import protocol_routes

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """What there is when a bad call comes: one of each thing, in one workspace, and the ids of another's."""

    codebase_id: str
    task_id: str
    worker_id: str
    token_id: str
    session_id: str
    claim_token: str
    config_id: str = "config-1"
    file_id: str = ""
    role: str = "reviewer"
    name: str = "cousin"

    def fill(self, path: str) -> str:
        """The path with our ids in it."""
        return path.format(**asdict(self))

    def unknown(self, nonsense: str) -> "Place":
        """The same with ids of nothing; the claim token stays a true one."""
        ids = {name: nonsense for name in asdict(self) if name != "claim_token"}
        return replace(self, **ids)


NOWHERE = Place("", "", "", "", "", "")


def rest_refusal(answer: httpx.Response) -> bool:
    """4xx, as JSON that names what is wrong."""
    return 400 <= answer.status_code < 500 and {"detail", "code"} <= answer.json().keys()


def rpc_refusal(answer: httpx.Response) -> bool:
    """JSON-RPC tells errors in the body, with any status."""
    return answer.status_code < 500 and ("error" in answer.json() or rest_refusal(answer))


@dataclass(frozen=True, slots=True)
class Route:
    """How to call a route well. `open` ones need no token, `endless` ones stream; `free` fields take any type, and
    where a route `mends`, a NUL is replaced instead of refused (what programs printed must not get stuck)."""

    good: Callable[[Place], Json] | None = None
    open: bool = False
    query: str = ""
    free: frozenset[str] = frozenset()
    is_refusal: Callable[[httpx.Response], bool] = rest_refusal
    rpc: bool = False
    endless: bool = False
    mends: bool = False


def _rpc(place: Place) -> Json:
    message = {"role": "user", "messageId": "m1", "parts": [{"kind": "text", "text": "hello"}]}
    return {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}


def a2a_refusal(answer: httpx.Response) -> bool:
    """4xx in the shape of A2A's REST binding: 1.0's google.rpc.Status, or 0.3's code, message and type.

    What is refused before any lane (its size, a NUL in the address) has the one shape of all.
    """
    body = answer.json()
    if "error" in body:
        return 400 <= answer.status_code < 500 and body["error"]["code"] == answer.status_code
    return 400 <= answer.status_code < 500 and ({"code", "message", "type"} == set(body) or rest_refusal(answer))


def _a2a(**good: Any) -> Route:
    return Route(lambda place: good, is_refusal=a2a_refusal)


def _says(**good: Any) -> Route:
    return Route(lambda place: good)


RPC = Route(_rpc, is_refusal=rpc_refusal, rpc=True, free=frozenset({"id"}))
READ = Route()
STREAM = Route(endless=True)
OPEN = Route(open=True)
A2A_MESSAGE = {"role": "ROLE_USER", "messageId": "m1", "parts": [{"text": "hello"}]}
A2A_SEND = _a2a(message=A2A_MESSAGE, configuration={"returnImmediately": True}, metadata={}, tenant="t")
A2A_READ = Route(is_refusal=a2a_refusal)
A2A_STREAM = Route(is_refusal=a2a_refusal, endless=True)
A2A_PUSH = _a2a(id="c", url="https://93.184.216.34/a", token="t", authentication={"scheme": "Bearer"})
A2A_OLD_PUSH = _a2a(pushNotificationConfig={"id": "c", "url": "https://93.184.216.34/a"})
EMPTY = Route(lambda place: {})
CONFIG = {"default_model": "a/b", "auto_approve": True, "max_iterations": 5, "working_directory": "src"}
SESSION = {"id": "ses_2", "title": "Till", "created": 1767323045000}
MESSAGE = {"id": "msg_1", "role": "user", "content": "Hi", "created_at": "2026-01-02T03:04:06Z"}
TASK = _says(
    title="t", prompt="p", agent_type="build", model="a/b", priority=1, target_agent="r", deadline_seconds=60.5,
    max_attempts=2, requires=["x"], context_id="c", concurrency_key="k",
    metadata={"notify_email": "ada@example.com"},
)  # fmt: skip

ROUTES: dict[str, Route] = {
    # Both lanes: health, documents, doors
    "GET /health": OPEN,
    "GET /v1/health": OPEN,
    "GET /health/ready": OPEN,
    "GET /metrics": READ,
    "GET /": OPEN,
    "GET /v1/schema": OPEN,
    "GET /v1/docs": OPEN,
    "GET /.well-known/agent-card.json": OPEN,
    "GET /.well-known/agent.json": OPEN,
    "GET /.well-known/jwks.json": OPEN,
    "GET /a2a/jsonrpc": OPEN,
    "GET /v1/a2a": OPEN,
    # A2A
    "POST /": RPC,
    "POST /a2a/jsonrpc": RPC,
    "POST /v1/a2a": RPC,
    "POST /a2a/agents/{role}": RPC,
    "GET /a2a/agents/{role}": READ,
    "GET /a2a/agents/{role}/.well-known/agent-card.json": READ,
    "GET /a2a": OPEN,
    "GET /a2a/": OPEN,
    "POST /a2a": RPC,
    "POST /a2a/": RPC,
    "POST /a2a/rest/message:send": A2A_SEND,
    "POST /a2a/rest/message:stream": A2A_SEND,
    "POST /a2a/rest/tasks/{task_id}:cancel": _a2a(tenant="t"),
    "GET /a2a/rest/tasks/{task_id}:subscribe": A2A_STREAM,
    "POST /a2a/rest/tasks/{task_id}:subscribe": _a2a(tenant="t"),
    "GET /a2a/rest/tasks/{task_id}": A2A_READ,
    "GET /a2a/rest/tasks": A2A_READ,
    "POST /a2a/rest/tasks/{task_id}/pushNotificationConfigs": A2A_PUSH,
    "GET /a2a/rest/tasks/{task_id}/pushNotificationConfigs": A2A_READ,
    "GET /a2a/rest/tasks/{task_id}/pushNotificationConfigs/{config_id}": A2A_READ,
    "DELETE /a2a/rest/tasks/{task_id}/pushNotificationConfigs/{config_id}": A2A_READ,
    "GET /a2a/rest/extendedAgentCard": A2A_READ,
    "POST /a2a/rest/v1/message:send": A2A_SEND,
    "POST /a2a/rest/v1/message:stream": A2A_SEND,
    "POST /a2a/rest/v1/tasks/{task_id}:cancel": _a2a(),
    "GET /a2a/rest/v1/tasks/{task_id}:subscribe": A2A_STREAM,
    "POST /a2a/rest/v1/tasks/{task_id}:subscribe": _a2a(),
    "GET /a2a/rest/v1/tasks/{task_id}": A2A_READ,
    "POST /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs": A2A_OLD_PUSH,
    "GET /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs": A2A_READ,
    "GET /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs/{config_id}": A2A_READ,
    "DELETE /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs/{config_id}": A2A_READ,
    "GET /a2a/rest/v1/card": A2A_READ,
    # Codebases
    "GET /v1/opencode/codebases": READ,
    "GET /v1/opencode/codebases/list": READ,
    "POST /v1/opencode/codebases": _says(
        name="n", path="/p", description="d", agent_config=CONFIG, worker_id="w1", codebase_id="c"
    ),
    "GET /v1/opencode/codebases/{codebase_id}": READ,
    "PATCH /v1/opencode/codebases/{codebase_id}": _says(name="n", description="d", agent_config=CONFIG),
    "DELETE /v1/opencode/codebases/{codebase_id}": READ,
    "POST /v1/opencode/codebases/{codebase_id}/trigger": _says(
        prompt="p", agent="build", model="a/b", concurrency_key="k", files=["x"], metadata={}
    ),
    "POST /v1/opencode/codebases/{codebase_id}/message": _says(message="m", agent="build", model="a/b"),
    "POST /v1/opencode/codebases/{codebase_id}/interrupt": EMPTY,
    "POST /v1/opencode/codebases/{codebase_id}/stop": EMPTY,
    "GET /v1/opencode/codebases/{codebase_id}/status": READ,
    "POST /v1/opencode/codebases/{codebase_id}/pause": _says(reason="r"),
    "POST /v1/opencode/codebases/{codebase_id}/resume": EMPTY,
    "GET /v1/opencode/codebases/{codebase_id}/events": STREAM,
    "GET /v1/opencode/codebases/{codebase_id}/tasks": READ,
    "POST /v1/opencode/codebases/{codebase_id}/tasks": TASK,
    # Tasks
    "GET /v1/opencode/tasks": READ,
    "POST /v1/opencode/tasks": TASK,
    "GET /v1/opencode/tasks/stuck": READ,
    "POST /v1/opencode/tasks/stuck/recover": EMPTY,
    "GET /v1/opencode/tasks/{task_id}": READ,
    "PATCH /v1/opencode/tasks/{task_id}": _says(priority=3),
    "POST /v1/opencode/tasks/{task_id}/cancel": _says(reason="r"),
    "POST /v1/opencode/tasks/{task_id}/requeue": EMPTY,
    "POST /v1/opencode/tasks/{task_id}/input": _says(message="m", data={}),
    "POST /v1/opencode/tasks/{task_id}/approve": _says(approved=True, option_id="o", message="m"),
    "PUT /v1/opencode/tasks/{task_id}/status": Route(
        lambda place: {
            "status": "completed", "worker_id": "w1", "claim_token": place.claim_token, "session_id": "s",
            "result": "r", "error": "e", "error_code": "c", "usage": {"input_tokens": 1},
        }
    ),  # fmt: skip
    "GET /v1/opencode/tasks/{task_id}/output": READ,
    "POST /v1/opencode/tasks/{task_id}/output": Route(
        lambda place: {"output": "o", "type": "text", "worker_id": "w1", "claim_token": place.claim_token}
    ),
    "GET /v1/opencode/tasks/{task_id}/output/stream": STREAM,
    "GET /v1/opencode/tasks/{task_id}/events": READ,
    "GET /v1/opencode/tasks/{task_id}/files": READ,
    "GET /v1/files/{file_id}": READ,
    # Sessions
    "GET /v1/opencode/codebases/{codebase_id}/sessions": READ,
    "POST /v1/opencode/codebases/{codebase_id}/sessions/sync": _says(
        worker_id="w1", source="opencode", sessions=[SESSION]
    ),
    "GET /v1/opencode/codebases/{codebase_id}/sessions/{session_id}": READ,
    "GET /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/messages": READ,
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/messages/sync": _says(
        worker_id="w1", messages=[MESSAGE]
    ),
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/ingest": _says(
        worker_id="w1", source="opencode", session={"title": "Till"}, messages=[MESSAGE]
    ),
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/resume": _says(
        prompt="p", agent="build", model="a/b"
    ),
    "GET /v1/opencode/codebases/{codebase_id}/messages": Route(query="?session_id={session_id}"),
    "GET /v1/opencode/database/sessions": READ,
    # The server
    "GET /v1/opencode/status": READ,
    "GET /v1/opencode/models": READ,
    "GET /v1/opencode/providers": READ,
    "GET /v1/opencode/workers": READ,
    "GET /v1/opencode/workers/{worker_id}": READ,
    "GET /v1/opencode/reaper/health": READ,
    "GET /v1/opencode/database/status": READ,
    "GET /v1/opencode/database/codebases": READ,
    "GET /v1/opencode/database/workers": READ,
    "GET /v1/agents": READ,
    "GET /agents": READ,
    # Remote agents
    "GET /v1/agents/remote": READ,
    "POST /v1/agents/remote": _says(
        card_url="http://localhost:9/card", name="n", token="t", require_signature=True, jwks_url="http://localhost:9/k",
        metadata={"agent_type": "plan"}, enabled=True,
    ),
    "GET /v1/agents/remote/{name}": READ,
    "PATCH /v1/agents/remote/{name}": _says(metadata={"agent_type": "plan"}, enabled=True),
    "DELETE /v1/agents/remote/{name}": READ,
    "POST /v1/agents/remote/{name}/refresh": EMPTY,
    "GET /v1/queue/status": READ,
    "GET /v1/queue/my": READ,
    "GET /v1/queue/limits": READ,
    "PUT /v1/queue/limits": _says(kind="key", key="k", most=3),
    "POST /v1/queue/pause": _says(kind="key", key="k", reason="r"),
    "POST /v1/queue/resume": _says(kind="key", key="k"),
    "GET /v1/monitor/stream": STREAM,
    # Tokens
    "GET /v1/auth/me": READ,
    "GET /v1/users/api-keys": READ,
    "POST /v1/users/api-keys": _says(name="n", role="viewer", scopes=["tasks:read"], expires_at="2100-01-01"),
    "DELETE /v1/users/api-keys/{token_id}": READ,
    # Workers
    "POST /v1/opencode/workers/register": _says(
        worker_id="w9", name="n", hostname="h", capabilities=["c"], models=[{"id": "a/b"}], codebases=["c"],
        agents=[{"role": "r", "instance": "i"}], version="1", concurrency=2, global_codebase_id="global",
    ),
    "POST /v1/opencode/workers/{worker_id}/heartbeat": _says(claims=[]),
    "POST /v1/opencode/workers/{worker_id}/unregister": EMPTY,
    "GET /v1/worker/tasks/stream": STREAM,
    "POST /v1/worker/tasks/claim": _says(worker_id="w1", limit=1),
    "POST /v1/tasks/{task_id}/claim": _says(worker_id="w1"),
    "POST /v1/worker/tasks/release": Route(
        lambda place: {
            "task_id": place.task_id, "claim_token": place.claim_token, "worker_id": "w1", "status": "completed",
            "error": "e", "error_code": "c", "session_id": "s", "usage": {}, "retry": False,
        },
        mends=True,
    ),  # fmt: skip
    "POST /v1/worker/tasks/{task_id}/events": Route(
        lambda place: {"claim_token": place.claim_token, "events": [{"kind": "status", "data": {"message": "m"}}]}
    ),
    "POST /v1/worker/tasks/{task_id}/files": READ,  # the body is the file, whatever it is
    "GET /v1/worker/files/{file_id}": READ,
    "PUT /v1/worker/codebases": _says(worker_id="w1", codebases=["c"]),
    "GET /v1/worker/connected": READ,
    "GET /v1/workers/connected": READ,
    "GET /v1/worker/connected/{worker_id}": READ,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A route as the product has it; `scopes` None where the table must not ask (open or unknown)."""

    method: str
    path: str
    scopes: tuple[Scope, ...] = field(default=())

    @property
    def name(self) -> str:
        """The key in ROUTES: `/v1/agent/…` is a second spelling of `/v1/opencode/…`."""
        return f"{self.method} {self.path.replace('/v1/agent/', '/v1/opencode/')}"


def found_routes() -> list[Found]:
    """Every route of the two lanes, except the admin's pages."""
    return [*_protocol_lane(), *_management_lane(get_resolver().url_patterns, "/")]


def _protocol_lane() -> Iterator[Found]:
    for path, route in unmounted(protocol_routes):
        scope = getattr(route, "required_scope", None)
        for method in sorted(route.methods or {"GET"}):
            if method not in ("HEAD", "OPTIONS"):
                yield Found(method, path, (scope,) if scope else ())


def unmounted(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, StarletteRoute]]:
    """(path, route) of the routes, those of mounted bindings included."""
    for route in routes:
        if isinstance(route, Mount):
            yield from unmounted(route.routes, prefix + route.path)
        elif isinstance(route, StarletteRoute):
            yield prefix + route.path, route


def _management_lane(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Found]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern).replace("<str:", "{").replace(">", "}")
        if path.startswith("/admin/"):
            continue
        if isinstance(pattern, URLResolver):
            yield from _management_lane(pattern.url_patterns, path)
            continue
        view = pattern.callback.view_class  # type: ignore[union-attr]
        allowed = pattern.callback.view_initkwargs.get("http_method_names", view.http_method_names)  # type: ignore[union-attr]
        scopes = getattr(view, "required_scopes", {"GET": ()})
        for method in scopes:
            if method.lower() in allowed:
                yield Found(method, path, scopes[method])
