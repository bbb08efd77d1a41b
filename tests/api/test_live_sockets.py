"""WebSockets: the streams' events as JSON frames, and who may have them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from channels.testing import WebsocketCommunicator

from apps.accounts.models import User
from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.core.wakeups import hub
from apps.live import sockets
from apps.tasks.services import Outcome, task_finish, task_message
from apps.tasks.states import State
from tests.api.live_client import application, get
from tests.api.test_live_streams import signed_in
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

OURS = "http://testserver"


@pytest_asyncio.fixture(autouse=True)
async def _hub_closes() -> AsyncIterator[None]:
    yield
    await hub().close()


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "FIRST_FRAME_SECONDS", 0.01)
    monkeypatch.setattr(sockets, "TOKEN_SECONDS", 0.05)


@pytest_asyncio.fixture
async def token(cast: Cast) -> str:
    return await in_database(cast.token, Role.VIEWER)


@asynccontextmanager
async def socket(path: str, token: str = "", **headers: str) -> AsyncIterator[Any]:
    given = {"host": "testserver", **headers} | ({"authorization": f"Bearer {token}"} if token else {})
    pairs = [(name.encode(), value.encode()) for name, value in given.items()]
    one = WebsocketCommunicator(application, path, headers=pairs)
    connected, _ = await one.connect(timeout=10)
    assert connected
    yield one
    await one.disconnect(timeout=10)


async def frames(one: Any, count: int) -> list[dict[str, Any]]:
    return [json.loads(await one.receive_from(timeout=10)) for _ in range(count)]


async def close_code(one: Any) -> int:
    message = await one.receive_output(timeout=10)
    assert message["type"] == "websocket.close", message
    code: int = message["code"]
    return code


async def watching() -> None:
    """Until the socket watches the log: its "now" has begun."""
    async with asyncio.timeout(10):
        while not hub()._waiters:  # noqa: ASYNC110 (nothing tells the outside)
            await asyncio.sleep(0.01)


async def speak(cast: Cast, task_id: object, text: str) -> None:
    await in_database(task_message, workspace_id=cast.workspace.id, task_id=task_id, message=text, by="ada")  # type: ignore[arg-type]


async def test_task_socket_tells_everything_and_closes_with_the_task(cast: Cast, token: str) -> None:
    claim = await in_database(cast.held)
    async with socket(f"/ws/tasks/{claim.task_id}/", token) as one:
        told = await frames(one, 2)
        await in_database(task_finish, claim=claim, outcome=Outcome(status=State.COMPLETED, result="done"))
        told += await frames(one, 1)
        assert await close_code(one) == 1000
    assert [(frame["id"], frame["event"]) for frame in told] == [("1", "status"), ("2", "status"), ("3", "complete")]
    assert told[-1]["data"]["summary"] == "done"


async def test_first_frame_resumes(cast: Cast, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "FIRST_FRAME_SECONDS", 10)
    claim = await in_database(cast.held)
    async with socket(f"/ws/tasks/{claim.task_id}/", token) as one:
        await one.send_json_to({"last_event_id": 1})
        assert [frame["id"] for frame in await frames(one, 1)] == ["2"]


async def test_later_frame_goes_on_from_elsewhere(cast: Cast, token: str) -> None:
    claim = await in_database(cast.held)
    async with socket(f"/ws/tasks/{claim.task_id}/", token) as one:
        assert [frame["id"] for frame in await frames(one, 2)] == ["1", "2"]
        await one.send_json_to({"last_event_id": "1"})
        assert [frame["id"] for frame in await frames(one, 1)] == ["2"]


async def test_monitor_socket_tells_the_log_and_resumes_by_query(cast: Cast, token: str) -> None:
    task = await in_database(cast.task)
    async with socket("/ws/monitor/", token, origin="http://elsewhere.example") as one:
        await watching()
        await speak(cast, task.id, "a")
        (frame,) = await frames(one, 1)
    await speak(cast, task.id, "b")
    async with socket(f"/ws/monitor?last_event_id={frame['id']}", token) as one:
        (following,) = await frames(one, 1)
    assert [frame["data"]["data"]["message"], following["data"]["data"]["message"]] == ["a", "b"]


async def test_browser_gives_its_token_in_the_first_frame(cast: Cast, token: str) -> None:
    task = await in_database(cast.task)
    async with socket(f"/ws/tasks/{task.id}/", origin="http://elsewhere.example") as one:
        await one.send_json_to({"token": token, "last_event_id": 0})
        assert (await frames(one, 1))[0]["id"] == "1"


async def test_our_own_page_needs_only_its_session(cast: Cast) -> None:
    task, key = await in_database(cast.task), await in_database(signed_in, cast)
    async with socket(f"/ws/tasks/{task.id}/", cookie=f"sessionid={key}", origin=OURS) as one:
        assert (await frames(one, 1))[0]["id"] == "1"


async def test_page_chooses_among_its_persons_workspaces(cast: Cast) -> None:
    far = await in_database(cast.elsewhere)
    task = await in_database(far.task)
    cookie = f"sessionid={await in_database(signed_in, cast)}"
    path, greeting = f"/ws/tasks/{task.id}/", json.dumps({"workspace": far.workspace.slug})
    async with socket(path, cookie=cookie, origin=OURS) as one:
        await one.send_to(text_data=greeting)
        assert await close_code(one) == 4403
    ada = await in_database(User.objects.get)
    await in_database(lambda: ada.memberships.create(workspace=far.workspace, role=Role.VIEWER))
    async with socket(path, cookie=cookie, origin=OURS) as one:
        await one.send_to(text_data=greeting)
        assert (await frames(one, 1))[0]["data"]["task_id"] == str(task.id)


async def test_page_chooses_a_streams_workspace_in_the_address(cast: Cast) -> None:
    """`EventSource` cannot send headers."""
    far, foreign = await in_database(cast.elsewhere), await in_database(cast.elsewhere)
    cookie = f"sessionid={await in_database(signed_in, cast)}"
    path = "/v1/monitor/stream?workspace="
    async with get(f"{path}{far.workspace.id}", cookie=cookie) as stream:
        assert stream.status == 403
    await in_database(lambda: User.objects.get().memberships.create(workspace=far.workspace, role=Role.VIEWER))
    async with get(f"{path}{far.workspace.slug}", cookie=cookie) as stream:
        await stream.block()
        theirs = await in_database(far.task)
        assert (await stream.event()).data["task_id"] == str(theirs.id)
    async with get(f"{path}{foreign.workspace.slug}", cookie=cookie) as stream:
        assert stream.status == 403


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://testserver.example"])
async def test_foreign_page_cannot_use_the_session(cast: Cast, origin: str) -> None:
    task, key = await in_database(cast.task), await in_database(signed_in, cast)
    async with socket(f"/ws/tasks/{task.id}/", cookie=f"sessionid={key}", origin=origin) as one:
        assert await close_code(one) == 4403


async def test_foreign_page_is_refused_even_where_authentication_is_off(cast: Cast, settings: Any) -> None:
    settings.A2A_AUTH_ENABLED = False
    async with socket("/ws/monitor/", origin="http://elsewhere.example") as one:
        assert await close_code(one) == 4403


async def test_token_in_the_address_is_not_a_token(cast: Cast, token: str) -> None:
    async with socket(f"/ws/monitor/?token={token}") as one:
        assert await close_code(one) == 4401


async def test_who_may_not_read_is_refused(cast: Cast) -> None:
    for secret, code in (("wrong", 4401), (await in_database(cast.token, Role.WORKER), 4403)):
        async with socket("/ws/monitor/", secret) as one:
            assert await close_code(one) == code


async def test_strangers_may_knock_only_so_often(cast: Cast, token: str, settings: Any, fresh_counts: None) -> None:
    settings.RATE_LIMITS = {"anonymous": "2/minute"}
    for secret, code in (("", 4401), ("wrong", 4401), ("", 4429), ("wrong", 4429)):
        async with socket("/ws/monitor/", secret) as one:
            assert await close_code(one) == code
    settings.MAX_STREAMS_PER_CALLER = 0
    async with socket("/ws/monitor/", token) as one:
        assert await close_code(one) == 4429
    settings.MAX_STREAMS = 0
    async with socket("/ws/monitor/", token) as one:
        assert await close_code(one) == 1013


async def test_what_does_not_exist_or_is_anothers_is_not_found(cast: Cast, token: str) -> None:
    foreign = await in_database(lambda: cast.elsewhere().task())
    for path in ("/ws/tasks/nothing/", f"/ws/tasks/{foreign.id}/", "/ws/nothing", "/"):
        async with socket(path, token) as one:
            assert await close_code(one) == 4404


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"token": 1}', '{"last_event_id": []}', '{"last_event_id": "x"}', '"' + "x" * 5000 + '"']
)
async def test_malformed_frame_closes_the_socket(cast: Cast, token: str, text: str) -> None:
    task = await in_database(cast.task)
    async with socket(f"/ws/tasks/{task.id}/", token) as one:
        await frames(one, 1)
        await one.send_to(text_data=text)
        assert await close_code(one) == 4400


async def test_leaving_leaves_nothing_behind(cast: Cast, token: str) -> None:
    task = await in_database(cast.task)
    async with socket(f"/ws/tasks/{task.id}/", token) as one:
        await frames(one, 1)
        assert hub()._waiters
    assert not hub()._waiters
