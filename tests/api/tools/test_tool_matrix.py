"""Every tool × everybody who may not call it: each is refused, and the database stays as it was."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from apps.accounts.permissions import ROLE_SCOPES, Role
from apps.accounts.ways_in import ROUTES
from apps.mcp.errors import META
from apps.mcp.tools import TOOLS
from apps.workers.services import Registration, worker_register
from tests.api.conftest import Api
from tests.api.matrix import http
from tests.api.test_bad_input import furnish
from tests.api.test_matrix import Watched, narrowed
from tests.api.tools.conftest import Caller, Json
from tests.api.tools.good_calls import GOOD, NAMES_ONE
from tests.factories import Cast

NOT_FOUND = {
    "task_not_found", "codebase_not_found", "agent_not_found", "role_not_found", "conversation_not_found",
    "remote_agent_not_found",
}  # fmt: skip


@pytest.fixture
def watched(api: Api) -> Callable[..., Watched]:
    """Begins to watch once every token has been used."""

    def begin(*callers: Caller) -> Watched:
        for caller in callers:
            api.runner.run(http("GET", "/v1/auth/me", caller.token))
        return Watched(api)

    return begin


def callers(ada: Caller, cast: Cast) -> dict[str, Caller]:
    """A token of each role, and an admin's for each scope, which holds nothing else."""
    tokens = {str(role): cast.token(role) for role in Role}
    tokens |= {f"only {scope}": token for scope, token in narrowed(cast).items()}
    return {who: ada.bearing(token) for who, token in tokens.items()}


def code_of(caller: Caller, name: str, arguments: Json) -> str:
    """The error's code; empty where the call was answered."""
    result = caller.result(name, arguments)
    return (result.meta or {})[META]["code"] if result.is_error else ""


def test_every_tool_has_a_good_call() -> None:
    assert GOOD.keys() == {tool.name for tool in TOOLS}


def test_callers_without_the_scope_get_nothing_and_see_no_such_tool(
    ada: Caller, cast: Cast, watched: Callable[..., Watched]
) -> None:
    place, everybody = furnish(cast), callers(ada, cast)
    watch = watched(*everybody.values())
    for who, caller in everybody.items():
        shown = caller.listed()
        for tool in TOOLS:
            is_let_in = bool(set(tool.scopes) & caller.principal.scopes)
            assert (tool.name in shown) == is_let_in, f"{who}: {tool.name} in the list"
            if not is_let_in:
                assert code_of(caller, tool.name, GOOD[tool.name](place)) == "forbidden", f"{who}: {tool.name}"
        watch.unchanged(who)
    watch.assert_refused()


def test_roles_with_the_scope_are_let_in(ada: Caller, cast: Cast) -> None:
    """Else the refusals above would show nothing."""
    place, everybody = furnish(cast), callers(ada, cast)
    for role in Role:
        for tool in TOOLS:
            if set(tool.scopes) & ROLE_SCOPES[role]:
                with rolled_back():
                    code = code_of(everybody[str(role)], tool.name, GOOD[tool.name](place))
                assert code not in ("forbidden", "unauthenticated"), f"{role}: {tool.name}: {code}"


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_nobody_gets_nothing(api: Api, cast: Cast, watched: Callable[..., Watched]) -> None:
    place, watch = furnish(cast), watched()
    for name, good in GOOD.items():
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": good(place)}}
        for token in ("", "ct_unknown"):
            watch.expect(
                f"{token or 'nobody'}: {name}", 401, http("POST", "/mcp/v1/rpc", token, json.dumps(call).encode())
            )
    watch.assert_refused()


def test_another_workspaces_admin_finds_nothing_here(ada: Caller, cast: Cast, watched: Callable[..., Watched]) -> None:
    place, theirs = furnish(cast), ada.bearing(cast.elsewhere().token(Role.ADMIN))
    watch = watched(theirs)
    for name in NAMES_ONE:
        arguments = GOOD[name](place)
        if name == "send_to_agent":
            arguments["agent_name"] = "whoever"
        assert code_of(theirs, name, arguments) in NOT_FOUND, name
        watch.unchanged(name)
    for tool in TOOLS:
        if tool.name not in (*NAMES_ONE, "create_codebase", "register_agent"):
            shown = theirs.result(tool.name, {}).structured_content if not tool.sdk.parameters.get("required") else None
            assert not {place.task_id, place.codebase_id, place.name} & set(json.dumps(shown).split('"')), tool.name
    watch.assert_refused()


def test_a_worker_bound_to_codebases_speaks_for_itself_alone(
    ada: Caller, cast: Cast, watched: Callable[..., Watched]
) -> None:
    place = furnish(cast)
    other = Registration(worker_id="w2", name="w2", agents=[{"role": "painter", "instance": "painter:w2"}])
    bound = ada.bearing(cast.token(Role.WORKER, codebases=[place.codebase_id]))
    worker_register(workspace_id=cast.workspace.id, registration=other, serves=bound.principal.codebases)
    watch = watched(bound)
    assert code_of(bound, "refresh_agent_heartbeat", {"agent_name": "reviewer:w1"}) == "worker_forbidden"
    new = {"name": "till", "path": "/code/till", "worker_id": "w2"}
    assert code_of(bound, "create_codebase", new) == "codebase_forbidden"
    assert code_of(bound, "create_codebase", {"name": "till", "path": "/code/till"}) == "forbidden"
    watch.assert_refused()
    assert bound.call("refresh_agent_heartbeat", agent_name="painter")["worker_id"] == "w2"


TWINS = {
    "create_task": "POST /v1/opencode/tasks",
    "get_task": "GET /v1/opencode/tasks/{task_id}",
    "get_task_updates": "GET /v1/opencode/tasks/{task_id}/events",
    "answer_task": "POST /v1/opencode/tasks/{task_id}/input",
    "cancel_task": "POST /v1/opencode/tasks/{task_id}/cancel",
    "list_tasks": "GET /v1/opencode/tasks",
    "send_message": "POST /v1/opencode/codebases/{codebase_id}/message",
    "discover_agents": "GET /v1/agents",
    "get_agent_card": "GET /a2a/agents/{role}/.well-known/agent-card.json",
    "register_agent": "POST /v1/agents/remote",
    "list_remote_agents": "GET /v1/agents/remote",
    "remove_remote_agent": "DELETE /v1/agents/remote/{name}",
    "list_codebases": "GET /v1/opencode/codebases",
    "get_codebase": "GET /v1/opencode/codebases/{codebase_id}",
    "create_codebase": "POST /v1/opencode/codebases",
    "delete_codebase": "DELETE /v1/opencode/codebases/{codebase_id}",
    "get_current_codebase": "GET /v1/opencode/codebases/{codebase_id}/status",
    "get_queue_stats": "GET /v1/queue/status",
    "list_task_runs": "GET /v1/queue/runs",
    "list_models": "GET /v1/opencode/models",
}
"""What REST or A2A calls the same."""


def test_a_tool_needs_what_its_twin_needs() -> None:
    scopes = {tool.name: set(tool.scopes) for tool in TOOLS}
    assert {name: scopes[name] for name in TWINS} == {name: set(ROUTES[way] or ()) for name, way in TWINS.items()}
