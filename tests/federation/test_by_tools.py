"""Remote agents by MCP's tools: the same as by REST, the same guards, and work that goes there and comes back."""

import asyncio
from typing import Any

import pytest

from apps.accounts.permissions import Role
from apps.accounts.principals import Credentials, authenticate
from apps.core.db import in_database
from apps.federation.models import RemoteAgent
from apps.mcp.caller import calling
from tests.api.conftest import Api, _runner, admin, api
from tests.api.tools.conftest import BASE_URL, SERVER, Caller
from tests.fakes.remote_agent import Cousin, Stage
from tests.federation.conftest import Scene
from tests.federation.test_registering import AGENTS, SECRET, cousin

__all__ = ["_runner", "admin", "api", "cousin"]


@pytest.fixture
def boss(admin: Api) -> Caller:
    return Caller(admin, admin.token)


def row(name: str) -> dict[str, Any]:
    """The stored agent, but for what differs by nature: its id, its times, and its sealed secret."""
    passing = ("id", "fetched_at", "created_at", "updated_at", "sealed_secret", "name")
    values = RemoteAgent.objects.filter(name=name).values().get()
    return {field: value for field, value in values.items() if field not in passing}


@pytest.mark.django_db
def test_two_ways_of_registering_give_the_same(boss: Caller, admin: Api, cousin: Cousin) -> None:
    said = {"card_url": cousin.url, "api_key": SECRET, "api_key_header": "X-Key", "metadata": {"a": 1}}
    by_rest = admin.post(AGENTS, {"name": "one", **said}).json()["agent"]
    by_tool = boss.call("register_agent", name="two", **said)["agent"]
    assert row("one") == row("two")
    assert by_tool.keys() == by_rest.keys()
    assert by_tool == admin.get(f"{AGENTS}/two").json()
    assert SECRET not in str(by_tool)
    assert [one["name"] for one in boss.call("list_remote_agents")["agents"]] == ["one", "two"]
    assert boss.refused("register_agent", name="two", **said)["code"] == "remote_agent_exists"


@pytest.mark.django_db
def test_url_is_another_word_and_a_key_makes_it_once(boss: Caller, cousin: Cousin) -> None:
    first = boss.call(
        "register_agent", url=cousin.url, name="c", description="Said by older clients.", idempotency_key="k"
    )
    assert boss.call("register_agent", url=cousin.url, name="c", idempotency_key="k") == first
    assert boss.call("refresh_agent_heartbeat", agent_name="c")["remote"]["name"] == "c"
    assert boss.call("remove_remote_agent", agent_name="c")["success"]
    assert not RemoteAgent.objects.exists()


@pytest.fixture
def narrow(settings: Any) -> None:
    """No address of this machine is called."""
    settings.OUTBOUND_ALLOWED = []


@pytest.mark.django_db
@pytest.mark.parametrize("more", [{}, {"require_signature": True}, {"name": "no name"}, {"api_key": "k", "token": "t"}])
def test_what_is_refused_registers_nothing(boss: Caller, cousin: Cousin, more: Any, request: Any) -> None:
    if not more:
        request.getfixturevalue("narrow")
    told = boss.refused("register_agent", card_url=cousin.url, **more)
    assert told["code"] in ("card_refused", "invalid")
    assert not RemoteAgent.objects.exists()
    assert not cousin.headers or more == {"require_signature": True}


async def sing(stage: Stage) -> None:
    await stage.say("la la")
    await stage.done()


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_task_is_delegated(scene: Scene) -> None:
    singer = await scene.cousin({"sing": sing})
    token = await in_database(scene.cast.token, Role.ADMIN)
    principal = await in_database(authenticate, Credentials(f"Bearer {token}"))
    await scene.bridge()
    with calling(principal, BASE_URL):
        await call("register_agent", card_url=singer.card_url, name="cousin")
        task_id = (await call("send_to_agent", agent_name="cousin", message="sing a song"))["task_id"]
        page = await call("get_task_updates", task_id=task_id)
        while not page["ended"]:
            page = await call("get_task_updates", task_id=task_id, after_seq=page["next_seq"], wait_seconds=10)
        shown = await call("get_task", task_id=task_id)
    assert (shown["status"], shown["result"]) == ("completed", "la la")


async def call(tool: str, **arguments: Any) -> dict[str, Any]:
    async with asyncio.timeout(15):
        result = await SERVER.call_tool(tool, arguments)
    assert not result.is_error, result.content
    structured: dict[str, Any] = result.structured_content or {}
    return structured
