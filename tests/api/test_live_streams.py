"""Event streams over HTTP: what they tell, from where they go on, and who may read them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from django.test import Client

from apps.accounts.permissions import Role
from apps.accounts.principals import access_changed
from apps.core.db import in_database
from apps.core.stopping import Stopping
from apps.core.wakeups import hub
from apps.tasks import log
from apps.tasks.reports import from_worker
from apps.tasks.services import Claim, Outcome, task_cancel, task_finish, task_message, task_progress
from apps.tasks.states import State
from tests.api.live_client import get
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

WORK: list[tuple[str, dict[str, Any]]] = [
    ("status", {"message": "reading"}),
    ("output", {"content": "hello"}),
    ("tool_use", {"tool": "edit", "args": {"path": "a.py"}, "call_id": "c1"}),
    ("tool_result", {"call_id": "c1", "tool": "edit", "status": "completed", "output": "ok"}),
    ("file_change", {"action": "modified", "path": "a.py"}),
    ("session", {"session_id": "ses_1"}),
    ("usage", {"input_tokens": 3}),
]
DONE = Outcome(status=State.COMPLETED, result="all green", session_id="ses_1", usage={"input_tokens": 3})


@pytest_asyncio.fixture(autouse=True)
async def _hub_closes() -> AsyncIterator[None]:
    yield
    await hub().close()


def work(claim: Claim) -> None:
    task_progress(claim=claim, reported=[from_worker(*one) for one in WORK], seqs=list(range(1, len(WORK) + 1)))


@pytest_asyncio.fixture
async def token(cast: Cast) -> str:
    return await in_database(cast.token, Role.VIEWER)


async def worked_on(cast: Cast, **more: Any) -> Claim:
    claim = await in_database(cast.held, **more)
    await in_database(work, claim)
    return claim


async def test_stream_says_how_it_is_to_be_read(cast: Cast, token: str) -> None:
    task = await in_database(cast.task)
    async with get(f"/v1/opencode/tasks/{task.id}/output/stream", token) as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert (stream.headers["x-accel-buffering"], stream.headers["cache-control"]) == ("no", "no-cache")
        assert (await stream.block()).startswith("retry: ")


async def test_output_stream_tells_everything_and_ends(cast: Cast, token: str) -> None:
    claim = await worked_on(cast)
    async with get(f"/v1/agent/tasks/{claim.task_id}/output/stream", token) as stream:
        told = await stream.events(9)
        await in_database(task_finish, claim=claim, outcome=DONE)
        told.append(await stream.event())
        await stream.end()
    assert [one.event for one in told] == [
            "status", "status", "status", "output", "tool_use", "tool_result", "file_change", "session", "usage",
        "complete",
    ]  # fmt: skip
    assert [one.id for one in told] == [str(seq) for seq in range(1, 11)]
    assert told[3].data.items() >= {"type": "text", "content": "hello", "task_id": str(claim.task_id), "seq": 4}.items()
    assert told[-1].data.items() >= {"status": "completed", "summary": "all green", "session_id": "ses_1"}.items()


@pytest.mark.parametrize("by_header", [True, False])
async def test_output_stream_resumes_after_the_last_event(cast: Cast, token: str, by_header: bool) -> None:
    claim = await worked_on(cast)
    path = f"/v1/opencode/tasks/{claim.task_id}/output/stream"
    url, headers = (path, {"last_event_id": "8"}) if by_header else (f"{path}?last_event_id=8", {})
    async with get(url, token, **headers) as stream:
        assert (await stream.event()).id == "9"


async def test_output_stream_of_an_ended_task_that_was_read_ends_at_once(cast: Cast, token: str) -> None:
    task = await in_database(cast.task)
    await in_database(task_cancel, workspace_id=cast.workspace.id, task_id=task.id, by="ada")
    async with get(f"/v1/opencode/tasks/{task.id}/output/stream?last_event_id=2", token) as stream:
        await stream.end()
        assert b"data:" not in stream.body


async def test_failure_and_cancel_have_their_shapes(cast: Cast, token: str) -> None:
    claim = await in_database(cast.held)
    await in_database(task_finish, claim=claim, outcome=Outcome(status=State.FAILED, error="no key", error_code="auth"))
    async with get(f"/v1/opencode/tasks/{claim.task_id}/output/stream?last_event_id=2", token) as stream:
        failed = await stream.event()
    assert (failed.event, failed.data["error"], failed.data["code"]) == ("error", "no key", "auth")
    task = await in_database(cast.task)
    await in_database(task_cancel, workspace_id=cast.workspace.id, task_id=task.id, by="ada")
    async with get(f"/v1/opencode/tasks/{task.id}/output/stream?last_event_id=1", token) as stream:
        cancelled = await stream.event()
    assert (cancelled.event, cancelled.data["status"]) == ("complete", "cancelled")


async def test_codebase_stream_begins_with_the_present_and_tells_what_is_new(cast: Cast, token: str) -> None:
    shop, till = await in_database(cast.codebase, "shop"), await in_database(cast.codebase, "till")
    claim = await in_database(cast.held, codebase_id=shop.id, title="Sweep")
    async with get(f"/v1/opencode/codebases/{shop.id}/events", token) as stream:
        present = await stream.event()
        await worked_on(cast, codebase_id=till.id)
        await in_database(work, claim)
        told = await stream.events(len(WORK))
    assert (present.event, present.data["status"], present.data["task_id"]) == ("status", "running", str(claim.task_id))
    assert [one.event for one in told] == [kind for kind, _ in WORK]
    assert {one.data["codebase_id"] for one in told} == {shop.id}


async def test_codebase_stream_can_tell_everything(cast: Cast, token: str) -> None:
    shop = await in_database(cast.codebase)
    await worked_on(cast, codebase_id=shop.id)
    async with get(f"/v1/opencode/codebases/{shop.id}/events?from=start", token) as stream:
        assert [one.data["seq"] for one in await stream.events(9)] == list(range(1, 10))


async def test_client_that_comes_back_to_a_codebase_misses_and_repeats_nothing(cast: Cast, token: str) -> None:
    shop = await in_database(cast.codebase)
    url = f"/v1/opencode/codebases/{shop.id}/events"
    seen = []
    async with get(url, token) as stream:
        last = (await stream.event()).id
    for turn in range(3):
        task = await in_database(cast.task, f"t{turn}", codebase_id=shop.id)
        await in_database(task_message, workspace_id=cast.workspace.id, task_id=task.id, message="m", by="a")
        async with get(url, token, last_event_id=last) as stream:
            told = await stream.events(2)
        last = told[-1].id
        seen += [(one.data["task_id"], one.data["seq"]) for one in told]
    assert len(set(seen)) == 6


async def test_place_in_silence_is_a_place_to_go_on_from(cast: Cast, token: str, settings: Any) -> None:
    settings.SSE_KEEPALIVE_SECONDS = 0.01
    shop = await in_database(cast.codebase)
    async with get(f"/v1/opencode/codebases/{shop.id}/events", token) as stream:
        await stream.event()
        silence = dict(line.split(": ", 1) for line in (await stream.block()).split("\n") if line[:1] != ":")
    task = await in_database(cast.task, codebase_id=shop.id)
    async with get(f"/v1/opencode/codebases/{shop.id}/events", token, last_event_id=silence["id"]) as stream:
        assert (await stream.event()).data["task_id"] == str(task.id)


async def test_monitor_tells_the_log_of_all_tasks_of_the_workspace(cast: Cast, token: str) -> None:
    async with get("/v1/monitor/stream", token) as stream:
        await in_database(lambda: cast.elsewhere().task())
        claim = await in_database(cast.held, title="Sweep")
        created, claimed = await stream.events(2)
    assert (created.event, created.data["kind"], created.data["data"]["prompt"]) == (
        "created", "created", "Make the tests pass.",
    )  # fmt: skip
    assert (claimed.data["task_id"], claimed.data["title"]) == (str(claim.task_id), "Sweep")
    assert claimed.data["data"]["worker_id"] == "w1"


@pytest.mark.parametrize("bad", ["x", "-1", "99", "1.5", "٣", "9" * 300])
async def test_malformed_place_in_a_task_is_refused(cast: Cast, token: str, bad: str) -> None:
    task = await in_database(cast.task)
    async with get(f"/v1/opencode/tasks/{task.id}/output/stream?last_event_id={bad}", token) as stream:
        await stream.end()
    assert (stream.status, stream.problem["code"]) == (400, "bad_last_event_id")


@pytest.mark.parametrize("query", ["last_event_id=x", "last_event_id=1.2", f"last_event_id={2**61}", "from=yesterday"])
async def test_malformed_place_among_many_is_refused(cast: Cast, token: str, query: str) -> None:
    shop = await in_database(cast.codebase)
    for path in (f"/v1/opencode/codebases/{shop.id}/events", "/v1/monitor/stream"):
        async with get(f"{path}?{query}", token) as stream:
            await stream.end()
        assert (stream.status, stream.headers["content-type"]) == (400, "application/json")


@pytest.mark.parametrize("unknown", ["nothing", "00000000-0000-0000-0000-000000000000", "a\u20ac", "%"])
async def test_what_does_not_exist_is_not_found(cast: Cast, token: str, unknown: str) -> None:
    for path in (f"/v1/opencode/codebases/{unknown}/events", f"/v1/opencode/tasks/{unknown}/output/stream"):
        async with get(path, token) as stream:
            await stream.end()
        assert stream.status == 404


async def test_other_workspaces_things_are_not_found(cast: Cast, token: str) -> None:
    other = await in_database(cast.elsewhere)
    task, codebase = await in_database(other.task), await in_database(other.codebase)
    for path in (f"/v1/opencode/codebases/{codebase.id}/events", f"/v1/opencode/tasks/{task.id}/output/stream"):
        async with get(path, token) as stream:
            await stream.end()
        assert stream.status == 404


@pytest.mark.parametrize("path", ["/v1/monitor/stream", "/v1/opencode/codebases/x/events"])
async def test_nobody_and_workers_may_not_read(cast: Cast, path: str) -> None:
    for secret, status in (("", 401), ("wrong", 401), (await in_database(cast.token, Role.WORKER), 403)):
        async with get(path, secret) as stream:
            await stream.end()
        assert stream.status == status


def signed_in(cast: Cast) -> str:
    """The session key of a browser in which the cast's user has signed in."""
    browser = Client()
    browser.force_login(cast.user())
    return str(browser.cookies["sessionid"].value)


async def test_page_reads_with_its_session(cast: Cast) -> None:
    cookie = f"sessionid={await in_database(signed_in, cast)}"
    async with get("/v1/monitor/stream", cookie=cookie) as stream:
        assert stream.status == 200


async def test_stream_ends_at_once_with_the_right_to_read_it(cast: Cast, token: str) -> None:
    async with get("/v1/monitor/stream", token) as stream:
        await stream.block()
        await in_database(cast.workspace.tokens.all().delete)
        await in_database(access_changed)
        told = await stream.event()
        await stream.end()
    assert (told.event, told.data["code"]) == ("error", "unauthenticated")


async def test_head_has_no_body(cast: Cast, token: str) -> None:
    async with get("/v1/monitor/stream", token, method="HEAD") as stream:
        await stream.end()
        assert (stream.status, stream.body) == (200, b"")


async def listened_to(topic: str) -> None:
    """Until somebody waits for a topic that begins so."""
    async with asyncio.timeout(20):
        while not any(name.startswith(topic) for name in hub()._waiters):  # noqa: ASYNC110 (nothing tells the outside)
            await asyncio.sleep(0.01)


async def test_client_that_hangs_up_leaves_nothing_behind(cast: Cast, token: str) -> None:
    async with get("/v1/monitor/stream", token):
        await listened_to("workspace:")
    assert not hub()._waiters


async def test_stream_ends_properly_when_the_process_stops(
    cast: Cast, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = Stopping()
    monkeypatch.setattr("apps.core.sse.stopping", stopping)
    async with get("/v1/monitor/stream", token) as stream:
        await stream.block()
        stopping.begin()
        await stream.end()
    assert not hub()._waiters


async def test_slow_reader_is_not_read_ahead_for_and_holds_up_nobody(
    cast: Cast, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await in_database(cast.task)
    url = f"/v1/opencode/tasks/{task.id}/output/stream"

    async def speak(count: int) -> None:
        for _ in range(count):
            await in_database(task_message, workspace_id=cast.workspace.id, task_id=task.id, message="m", by="a")

    async with get(url, token) as slow, get(url, token) as quick:
        await slow.event(), await quick.event()
        slow.may_send.clear()
        await speak(5)
        assert len(await quick.events(5)) == 5
        size = len(slow.body)
        assert size < len(quick.body)
        slow.may_send.set()
        assert [one.id for one in await slow.events(5)] == [str(seq) for seq in range(2, 7)]


async def test_error_in_the_middle_is_told_as_an_event(
    cast: Cast, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> Any:
        raise RuntimeError("secret detail")
        yield

    monkeypatch.setattr(log, "follow_workspace", broken)
    async with get("/v1/monitor/stream", token) as stream:
        told = await stream.event()
        await stream.end()
    assert (told.event, told.data["code"]) == ("error", "internal_error")
    assert "secret" not in str(told.data)
