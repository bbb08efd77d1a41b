"""How routes are called well, and what their refusals look like: the words of the table in `bad_input`.

`good` is a body in which every field is there, with the right type; each field is then sent with wrong types
(`spoilt_input`). Ids in the path are those of `Place`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import httpx

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
    workspace: str = "default"
    user_id: str = ""
    invitation_id: str = ""
    run_id: str = ""

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


def rpc(place: Place) -> Json:
    message = {"role": "user", "messageId": "m1", "parts": [{"kind": "text", "text": "hello"}]}
    return {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}


def tool_call(place: Place) -> Json:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_tasks", "arguments": {}}}


def a2a_refusal(answer: httpx.Response) -> bool:
    """4xx in the shape of A2A's REST binding: 1.0's google.rpc.Status, or 0.3's code, message and type.

    What is refused before any lane (its size, a NUL in the address) has the one shape of all.
    """
    body = answer.json()
    if "error" in body:
        return 400 <= answer.status_code < 500 and body["error"]["code"] == answer.status_code
    return 400 <= answer.status_code < 500 and ({"code", "message", "type"} == set(body) or rest_refusal(answer))


def a2a(**good: Any) -> Route:
    return Route(lambda place: good, is_refusal=a2a_refusal)


def says(**good: Any) -> Route:
    return Route(lambda place: good)


RPC = Route(rpc, is_refusal=rpc_refusal, rpc=True, free=frozenset({"id"}))
READ = Route()
STREAM = Route(endless=True)
OPEN = Route(open=True)
TOOL_CALL = Route(tool_call, is_refusal=rpc_refusal, free=frozenset({"id"}))
MCP = {
    **dict.fromkeys(("POST /mcp", "POST /mcp/v1/rpc", "POST /mcp/v1/message"), TOOL_CALL),
    **{f"GET /mcp/v1/{path}": READ for path in ("tools", "tasks", "tasks/{task_id}")},
    **{f"GET /.well-known/oauth-protected-resource{path}": OPEN for path in ("/mcp", "")},
}
WATCHED = ("agents", "workers", "stats", "messages", "messages/count", "export/json", "export/csv")
MONITOR = {
    "GET /v1/monitor": OPEN,
    "GET /v1/monitor/": OPEN,
    **{f"GET /v1/monitor/{path}": READ for path in WATCHED},
    "GET /v1/monitor/messages/search": Route(query="?q=hello"),
    "POST /v1/monitor/intervene": Route(lambda place: {"agent_id": place.task_id, "message": "m"}),
}
A2A_MESSAGE = {"role": "ROLE_USER", "messageId": "m1", "parts": [{"text": "hello"}]}
A2A_SEND = a2a(message=A2A_MESSAGE, configuration={"returnImmediately": True}, metadata={}, tenant="default")
A2A_READ = Route(is_refusal=a2a_refusal)
A2A_STREAM = Route(is_refusal=a2a_refusal, endless=True)
A2A_PUSH = a2a(id="c", url="https://93.184.216.34/a", token="t", authentication={"scheme": "Bearer"})
A2A_OLD_PUSH = a2a(pushNotificationConfig={"id": "c", "url": "https://93.184.216.34/a"})
EMPTY = Route(lambda place: {})
CONFIG = {"default_model": "a/b", "auto_approve": True, "max_iterations": 5, "working_directory": "src",
          "working_tree": "worktree"}  # fmt: skip
TREE = {"id": "t1", "state": "kept", "branch": "codetether/t1", "base": "a1", "head": "b2"}
SESSION = {"id": "ses_2", "title": "Till", "created": 1767323045000}
MESSAGE = {"id": "msg_1", "role": "user", "content": "Hi", "created_at": "2026-01-02T03:04:06Z"}
TASK = says(
    title="t", prompt="p", agent_type="build", model="a/b", priority=1, target_agent="r", deadline_seconds=60.5,
    max_attempts=2, requires=["x"], context_id="c", concurrency_key="k",
    metadata={"notify_email": "ada@example.com"},
)  # fmt: skip
VARIABLE = says(value="correct-horse", kind="secret", description="d", agent_types=["build"])
VARIABLES = {
    f"{method} /v1/{place}/variables{name}": VARIABLE if method == "PUT" else READ
    for place in ("workspace", "opencode/codebases/{codebase_id}")
    for method, name in (("GET", ""), ("PUT", "/{name}"), ("DELETE", "/{name}"))
}
MACHINE = {
    f"GET /v1/opencode/runtime/{path}": READ
    for path in (
        "status", "projects", "sessions", "sessions/{session_id}", "sessions/{session_id}/messages",
        "sessions/{session_id}/parts",
    )
}  # fmt: skip
