"""The table behind the bad-input test: every route of both lanes, and what a good call looks like (`good_calls`).

A new route needs one line in ROUTES (the test fails until it has one).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.urls import URLPattern, URLResolver, get_resolver
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as StarletteRoute

from apps.accounts.permissions import Scope
from codetether.asgi import protocol_routes
from tests.api.good_calls import (
    A2A_OLD_PUSH,
    A2A_PUSH,
    A2A_READ,
    A2A_SEND,
    A2A_STREAM,
    CONFIG,
    EMPTY,
    MACHINE,
    MCP,
    MESSAGE,
    MONITOR,
    OPEN,
    READ,
    RPC,
    SESSION,
    STREAM,
    TASK,
    TREE,
    VARIABLES,
    Route,
    a2a,
    says,
)

ROUTES: dict[str, Route] = {
    # Both lanes: health, documents, doors
    **dict.fromkeys(("GET /health", "GET /v1/health", "GET /health/ready"), OPEN),
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
    **dict.fromkeys(("GET /a2a", "GET /a2a/"), OPEN),
    "POST /a2a": RPC,
    "POST /a2a/": RPC,
    "POST /a2a/rest/message:send": A2A_SEND,
    "POST /a2a/rest/message:stream": A2A_SEND,
    "POST /a2a/rest/tasks/{task_id}:cancel": a2a(tenant="default"),
    "GET /a2a/rest/tasks/{task_id}:subscribe": A2A_STREAM,
    "POST /a2a/rest/tasks/{task_id}:subscribe": a2a(tenant="default"),
    "GET /a2a/rest/tasks/{task_id}": A2A_READ,
    "GET /a2a/rest/tasks": A2A_READ,
    "POST /a2a/rest/tasks/{task_id}/pushNotificationConfigs": A2A_PUSH,
    "GET /a2a/rest/tasks/{task_id}/pushNotificationConfigs": A2A_READ,
    "GET /a2a/rest/tasks/{task_id}/pushNotificationConfigs/{config_id}": A2A_READ,
    "DELETE /a2a/rest/tasks/{task_id}/pushNotificationConfigs/{config_id}": A2A_READ,
    "GET /a2a/rest/extendedAgentCard": A2A_READ,
    "POST /a2a/rest/v1/message:send": A2A_SEND,
    "POST /a2a/rest/v1/message:stream": A2A_SEND,
    "POST /a2a/rest/v1/tasks/{task_id}:cancel": a2a(),
    "GET /a2a/rest/v1/tasks/{task_id}:subscribe": A2A_STREAM,
    "POST /a2a/rest/v1/tasks/{task_id}:subscribe": a2a(),
    "GET /a2a/rest/v1/tasks/{task_id}": A2A_READ,
    "POST /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs": A2A_OLD_PUSH,
    "GET /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs": A2A_READ,
    "GET /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs/{config_id}": A2A_READ,
    "DELETE /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs/{config_id}": A2A_READ,
    "GET /a2a/rest/v1/card": A2A_READ,
    **MCP,
    # Codebases
    "GET /v1/opencode/codebases": READ,
    "GET /v1/opencode/codebases/list": READ,
    "POST /v1/opencode/codebases": says(
        name="n", path="/p", description="d", agent_config=CONFIG, worker_id="w1", codebase_id="c"
    ),
    "GET /v1/opencode/codebases/{codebase_id}": READ,
    "PATCH /v1/opencode/codebases/{codebase_id}": says(name="n", description="d", agent_config=CONFIG),
    "DELETE /v1/opencode/codebases/{codebase_id}": READ,
    "POST /v1/opencode/codebases/{codebase_id}/trigger": says(
        prompt="p", agent="build", model="a/b", concurrency_key="k", files=["x"], metadata={}
    ),
    "POST /v1/opencode/codebases/{codebase_id}/message": says(message="m", agent="build", model="a/b"),
    "POST /v1/opencode/codebases/{codebase_id}/interrupt": EMPTY,
    "POST /v1/opencode/codebases/{codebase_id}/stop": EMPTY,
    "GET /v1/opencode/codebases/{codebase_id}/status": READ,
    "POST /v1/opencode/codebases/{codebase_id}/pause": says(reason="r"),
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
    "PATCH /v1/opencode/tasks/{task_id}": says(priority=3),
    "POST /v1/opencode/tasks/{task_id}/cancel": says(reason="r"),
    "POST /v1/opencode/tasks/{task_id}/requeue": EMPTY,
    "POST /v1/opencode/tasks/{task_id}/input": says(message="m", data={}),
    "POST /v1/opencode/tasks/{task_id}/working-tree": says(action="merge", into="main", strategy="squash"),
    "GET /v1/opencode/codebases/{codebase_id}/working-trees": READ,
    "POST /v1/opencode/tasks/{task_id}/approve": says(approved=True, option_id="o", message="m"),
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
    "POST /v1/opencode/codebases/{codebase_id}/sessions/sync": says(
        worker_id="w1", source="opencode", sessions=[SESSION]
    ),
    "GET /v1/opencode/codebases/{codebase_id}/sessions/{session_id}": READ,
    "GET /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/messages": READ,
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/messages/sync": says(
        worker_id="w1", messages=[MESSAGE]
    ),
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/ingest": says(
        worker_id="w1", source="opencode", session={"title": "Till"}, messages=[MESSAGE]
    ),
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/resume": says(
        prompt="p", agent="build", model="a/b"
    ),
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/fork": says(
        prompt="p", agent="build", model="a/b", title="t"
    ),
    "GET /v1/opencode/codebases/{codebase_id}/messages": Route(query="?session_id={session_id}"),
    "GET /v1/opencode/database/sessions": READ,
    **MACHINE,
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
    **VARIABLES,
    "GET /v1/agents/remote": READ,
    "POST /v1/agents/remote": says(
        card_url="http://localhost:9/card", name="n", token="t", require_signature=True, jwks_url="http://localhost:9/k",
        metadata={"agent_type": "plan"}, enabled=True,
    ),
    "GET /v1/agents/remote/{name}": READ,
    "PATCH /v1/agents/remote/{name}": says(metadata={"agent_type": "plan"}, enabled=True),
    "DELETE /v1/agents/remote/{name}": READ,
    "POST /v1/agents/remote/{name}/refresh": EMPTY,
    **{f"GET /v1/queue/{name}": READ for name in ("status", "my", "runs", "runs/{run_id}")},
    "GET /v1/queue/limits": READ,
    "PUT /v1/queue/limits": says(kind="key", key="k", most=3),
    "POST /v1/queue/pause": says(kind="key", key="k", reason="r"),
    "POST /v1/queue/resume": says(kind="key", key="k"),
    "GET /v1/monitor/stream": STREAM,
    **MONITOR,
    # Tokens
    "GET /v1/auth/me": READ,
    "POST /v1/auth/login": Route(lambda _: {"username": "u", "password": "p", "workspace": "w"}, open=True),
    "POST /v1/auth/refresh": Route(lambda _: {"refresh_token": "r"}, open=True),
    "POST /v1/auth/logout": EMPTY,
    "GET /v1/auth/status": OPEN,
    "GET /v1/auth/sessions": READ,
    "DELETE /v1/auth/sessions/{session_id}": READ,
    "GET /oidc/authenticate/": OPEN,
    "GET /oidc/callback/": OPEN,
    "POST /oidc/logout/": OPEN,
    "POST /oidc/backchannel-logout": OPEN,
    **dict.fromkeys(("GET /v1/audit", "GET /v1/audit/export", "GET /v1/audit/verify"), READ),
    "GET /v1/users/api-keys": READ,
    "POST /v1/users/api-keys": says(
        name="n", role="worker", scopes=["worker"], codebases=["c"], expires_at="2100-01-01"
    ),
    "GET /v1/users/api-keys/{token_id}": READ,
    "POST /v1/users/api-keys/{token_id}/rotate": says(overlap_seconds=60, expires_at="2100-01-01"),
    "DELETE /v1/users/api-keys/{token_id}": READ,
    # Workspaces
    "GET /v1/workspaces": READ,
    "GET /v1/workspaces/{workspace}/members": READ,
    "GET /v1/workspaces/{workspace}/members/{user_id}": READ,
    "PATCH /v1/workspaces/{workspace}/members/{user_id}": says(role="viewer"),
    "DELETE /v1/workspaces/{workspace}/members/{user_id}": READ,
    "GET /v1/workspaces/{workspace}/invitations": READ,
    "POST /v1/workspaces/{workspace}/invitations": says(role="viewer", email="ada@example.com", days=3),
    "DELETE /v1/workspaces/{workspace}/invitations/{invitation_id}": READ,
    "POST /v1/invitations/accept": Route(
        lambda place: {"token": "cti_unknown", "username": "newcomer", "password": "correct horse"}, open=True
    ),
    # Workers
    "POST /v1/opencode/workers/register": says(
        worker_id="w9", name="n", hostname="h", capabilities=["c"], models=[{"id": "a/b"}], codebases=["c"],
        agents=[{"role": "r", "instance": "i"}], programs=[{"name": "c", "version": "1"}], version="1",
        concurrency=2, global_codebase_id="global",
    ),
    "POST /v1/opencode/workers/{worker_id}/heartbeat": says(claims=[], status="active"),
    "POST /v1/opencode/workers/{worker_id}/drain": says(drain=True),
    "POST /v1/opencode/workers/{worker_id}/unregister": EMPTY,
    "GET /v1/worker/tasks/stream": STREAM,
    "POST /v1/worker/tasks/claim": says(worker_id="w1", limit=1),
    "POST /v1/tasks/{task_id}/claim": says(worker_id="w1"),
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
    "PUT /v1/worker/working-trees": says(worker_id="w1", held=["t1"], trees=[TREE]),
    "PUT /v1/worker/codebases": says(worker_id="w1", codebases=["c"]),
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
