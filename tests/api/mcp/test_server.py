"""The SDK's server over tools of the test's own, and the SDK's client at the product's, in both eras."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypedDict

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import Field

from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import Credentials
from apps.accounts.tokens import token_revoke
from apps.core.db import in_database
from apps.core.errors import ConflictError, UnavailableError
from apps.mcp import server, transport
from apps.mcp.caller import principal
from apps.mcp.server import ToolServer
from apps.mcp.stdio import Admission
from apps.mcp.tool import Tool, tool
from codetether.asgi import application
from tests.api.conftest import Api
from tests.factories import Cast

ERAS = pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("2026-07-28", "2026-07-28")])
SECONDS = 20.0


class Told(TypedDict):
    by: str


@asynccontextmanager
async def client(token: str, mode: str) -> AsyncIterator[Client]:
    """The SDK's client, connected to the application in the running loop."""
    async with (
        asyncio.timeout(SECONDS),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=application),  # type: ignore[arg-type]
            headers={"Authorization": f"Bearer {token}"},
            base_url="http://testserver",
        ) as http,
        Client(streamable_http_client("http://testserver/mcp", http_client=http), mode=mode) as one,
    ):
        yield one


@pytest.fixture
def at_stdio(api: Api, cast: Cast) -> Credentials:
    return Credentials(authorization=f"Bearer {cast.token(Role.ADMIN)}")


def only(monkeypatch: pytest.MonkeyPatch, *tools: Tool) -> None:
    monkeypatch.setattr(server, "TOOLS", tools)


@ERAS
def test_the_official_client_lists_and_calls(api: Api, cast: Cast, mode: str, version: str) -> None:
    task = cast.task()

    async def talk() -> None:
        async with client(api.token, mode) as one:
            assert one.protocol_version == version
            listed = {tool.name: tool for tool in (await one.list_tools()).tools}
            hints = listed["get_task"].annotations
            assert hints is not None
            assert (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint) == (True, False, True)
            found = await one.call_tool("get_task", {"task_id": str(task.id)})
            assert found.structured_content["status"] == "pending"
            missing = await one.call_tool("get_task", {"task_id": "none"})
            assert missing.is_error
            with pytest.raises(MCPError, match="Unknown tool"):
                await one.call_tool("get_tsk", {})

    api.runner.run(talk())


@ERAS
@pytest.mark.django_db(transaction=True)
def test_calls_do_not_wait_for_one_another(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, mode: str, version: str
) -> None:
    """Sixteen at once, of which each waits for all others, and four on database threads that do the same."""
    together, on_threads = asyncio.Barrier(16), threading.Barrier(4)

    @tool(scope=Scope.TASKS_READ, title="Meet")
    async def meet(blocks: Annotated[bool, Field(description="On a thread")] = False) -> Told:
        """Wait for the others."""
        if blocks:
            await in_database(on_threads.wait, SECONDS)
        await together.wait()
        return {"by": principal().name}

    only(monkeypatch, meet)
    token = cast.token(Role.VIEWER)

    async def talk() -> None:
        async with client(token, mode) as one:
            answers = await asyncio.gather(*(one.call_tool("meet", {"blocks": n < 4}) for n in range(16)))
            assert {answer.structured_content["by"] for answer in answers} == {"a viewer"}

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ZeroDivisionError("secret"),
            "internal_error: Something went wrong on our side; the server's log has the details",
        ),
        (UnavailableError("Redis is away.", retry_after=3), "unavailable: Redis is away; call again in 3 s."),
        (
            ConflictError("It has ended.", code="task_ended"),
            "task_ended: It has ended; look at its result with get_task",
        ),
    ],
)
def test_what_a_tool_raises_is_told_in_our_words(
    api: Api, at_stdio: Credentials, monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    @tool(scope=Scope.TASKS_READ, title="Stumble")
    async def stumble() -> Told:
        """Raise."""
        raise error

    only(monkeypatch, stumble)

    async def talk() -> Any:
        async with Client(ToolServer([Admission(at_stdio)])) as one:
            return await one.call_tool("stumble", {})

    said = api.runner.run(talk())
    assert said.is_error
    assert said.content[0].text.startswith(text)
    assert "secret" not in str(said)


def test_a_server_that_has_ended_is_begun_anew(api: Api) -> None:
    before = api.runner.run(transport.face())
    before._task.cancel()
    assert api.post("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).json()["result"]["tools"]
    assert api.runner.run(transport.face()) is not before


def ask_for_the_list(api: Api, **params: Any) -> Any:
    said = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"} | ({"params": params} if params else {})
    return api.post("/mcp", said, headers={"Accept": "application/json, text/event-stream"}).json()


def test_a_list_that_is_kept_is_that_of_the_callers_scopes(api: Api, cast: Cast) -> None:
    viewer = api.bearing(cast.token(Role.VIEWER))
    of_operator, of_viewer = ask_for_the_list(api), ask_for_the_list(viewer)
    assert (ask_for_the_list(api), ask_for_the_list(viewer)) == (of_operator, of_viewer)
    assert len(of_viewer["result"]["tools"]) < len(of_operator["result"]["tools"])
    assert of_operator["result"]["tools"] == api.get("/mcp/v1/tools").json()["tools"]
    assert ask_for_the_list(api, cursor=5)["error"]["code"] == INVALID_PARAMS


def test_a_result_is_told_once_more_as_short_text(api: Api) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_tasks", "arguments": {}}}
    said = api.post("/mcp", call).json()["result"]
    (text,) = said["content"]
    assert text["text"] == json.dumps(said["structuredContent"], separators=(",", ":"))


def test_whose_token_is_taken_away_gets_no_further_in_a_session(api: Api, at_stdio: Credentials) -> None:
    async def talk() -> None:
        async with Client(ToolServer([Admission(at_stdio)])) as one:
            assert (await one.list_tools()).tools
            await in_database(lambda: token_revoke(token=ApiToken.objects.get(name="a admin")))
            with pytest.raises(MCPError, match="unauthenticated"):
                await one.call_tool("list_tasks", {})

    api.runner.run(talk())


def test_whose_token_is_taken_away_while_a_tool_waits_does_not_hear_what_came(
    api: Api, at_stdio: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    @tool(scope=Scope.TASKS_READ, title="Wait")
    async def wait(revokes: Annotated[bool, Field(description="Meanwhile the token is taken away")]) -> Told:
        """Wait for long."""
        if revokes:
            await in_database(lambda: token_revoke(token=ApiToken.objects.get(name="a admin")))
        return {"by": principal().name}

    only(monkeypatch, wait)
    monkeypatch.setattr(server, "AGAIN_SECONDS", 0.0)

    async def talk() -> tuple[Any, Any]:
        async with Client(ToolServer([Admission(at_stdio)])) as one:
            return await one.call_tool("wait", {"revokes": False}), await one.call_tool("wait", {"revokes": True})

    before, after = api.runner.run(talk())
    assert before.structured_content == {"by": "a admin"}
    assert after.content[0].text.startswith("unauthenticated: ")
    assert after.structured_content is None


def test_a_tool_says_all_that_clients_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unfit(**more: Any) -> Any:
        return tool(scope=Scope.TASKS_READ, title="Unfit", **more)

    def blocking() -> Told:
        """Not async."""
        raise NotImplementedError

    async def silent() -> Told:
        raise NotImplementedError

    async def shapeless() -> Any:
        """Says not what it returns."""

    for function in (blocking, silent, shapeless):
        with pytest.raises(TypeError, match=function.__name__):
            unfit()(function)
