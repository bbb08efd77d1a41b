"""Small parts: backoff, leases, the event stream's syntax, answers of the server, routing, redaction, processes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from codetether_sessions.redaction import redacted
from codetether_worker import lease
from codetether_worker.agents.opencode import read_totals
from codetether_worker.agents.opencode_environment import opencode_environment
from codetether_worker.backoff import Backoff, wait_for_any
from codetether_worker.client import ControlPlane
from codetether_worker.discovery import Installed, Inventory, Model
from codetether_worker.errors import AgentError, ServerRefused, ServerUnreachable, StaleClaim, Unauthorized
from codetether_worker.lease import Lease
from codetether_worker.processes import agent_mark, marked_processes, reap
from codetether_worker.protocol import Claim, HeartbeatReply
from codetether_worker.routing import NotForThisWorker, choose_program, working_folder
from codetether_worker.stream import ServerSentEvent, read_events
from tests.fakes.control_plane import TOKEN, FakeControlPlane
from tests.worker.conftest import eventually

NOTHING = Inventory()
NO_MODELS = Inventory((Installed("opencode", Path("/bin/opencode"), ()),))
FULL = Inventory((Installed("opencode", Path("/bin/opencode"), (Model("a/b"),)),))
TWO = Inventory((*FULL.installed, Installed("gemini", Path("/bin/gemini"), (Model("google/g-1"),))))


ONLY_GEMINI = Inventory((*NO_MODELS.installed, TWO.installed[1]))


def claim(**body: object) -> Claim:
    return Claim.parse({"id": "t-1", "claim_token": "x", **body})


def test_backoff_grows_to_its_cap_with_full_jitter() -> None:
    ceilings: list[float] = []

    def draw(low: float, high: float) -> float:
        ceilings.append(high)
        return low

    backoff = Backoff(base=1, cap=10, draw=draw)
    assert [backoff.next_delay() for _ in range(6)] == [0] * 6
    assert ceilings == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next_delay(retry_after=7) == 7


@pytest.mark.asyncio
async def test_waiting_for_any_event() -> None:
    first, second = asyncio.Event(), asyncio.Event()
    assert not await wait_for_any(first, second, limit=0.01)
    second.set()
    assert await wait_for_any(first, second)


def test_a_lease_counts_from_when_the_request_was_sent() -> None:
    held = Lease(10, sent_at=lease.now() - 11)
    assert held.remaining < 0
    held.renew(sent_at=lease.now())
    assert 9 < held.remaining <= 10


async def lines(*given: str) -> AsyncIterator[str]:
    for line in given:
        yield line


async def collected(events: AsyncIterator[ServerSentEvent]) -> list[tuple[str, str]]:
    return [(event.event, event.data) async for event in events]


@pytest.mark.asyncio
async def test_the_syntax_of_an_event_stream() -> None:
    stream = lines(
        "retry: 5", "", ": note", "event: a", "data: 1", "data:2", "id: 7", "", "data: x", "", "event: b", ""
    )
    assert await collected(read_events(stream)) == [("a", "1\n2"), ("message", "x")]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "unauthenticated", Unauthorized),
        (403, "forbidden", Unauthorized),
        (409, "stale_claim", StaleClaim),
        (409, "already_claimed", ServerRefused),
        (422, "invalid", ServerRefused),
        (500, "broken", ServerUnreachable),
        (429, "slow_down", ServerUnreachable),
    ],
)
async def test_whose_turn_it_is_after_a_refusal(
    server: FakeControlPlane, status: int, code: str, error: type[Exception]
) -> None:
    server.refuse_next("/claim", status, code)
    async with ControlPlane(server.url, TOKEN, worker_id="w") as client:
        with pytest.raises(error) as refusal:
            await client.claim(limit=1, exclude_codebases=[])
    assert type(refusal.value) is error


@pytest.mark.asyncio
async def test_retry_after_as_a_date_and_as_nonsense(server: FakeControlPlane) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    async with ControlPlane(server.url, TOKEN, worker_id="w") as client:
        for value, low, high in ((moment, 50, 61), ("9999999", 300, 300), ("soon", None, None)):
            server.refuse_next("/claim", 503, "busy", retry_after=value)  # type: ignore[arg-type]
            with pytest.raises(ServerUnreachable) as refusal:
                await client.claim(limit=1, exclude_codebases=[])
            waited = refusal.value.retry_after
            assert waited is None if low is None else low <= (waited or 0) <= (high or 0)


def test_a_claim_takes_what_the_server_may_leave_out() -> None:
    parsed = claim(model=None, metadata=None, codebase=None, files=[{"path": "a.py"}, "b.py", 3])
    assert (parsed.model_wanted, parsed.auto_approves, parsed.files) == (None, True, ("a.py", "b.py"))
    assert "claim_token" not in repr(claim(claim_token="very-secret"))
    assert HeartbeatReply.parse({}).renewed == frozenset()


@pytest.mark.parametrize(
    ("body", "inventory", "program"),
    [
        ({}, NOTHING, "builtin"),
        ({}, NO_MODELS, "builtin"),
        ({}, FULL, "opencode"),
        ({"model": "a/b"}, NO_MODELS, "opencode"),
        ({"metadata": {"model": "a/b"}}, NO_MODELS, "opencode"),
        ({"codebase": {"agent_config": {"default_model": "a/b"}}}, NO_MODELS, "opencode"),
        ({"metadata": {"agent": "builtin"}}, FULL, "builtin"),
        ({"metadata": {"agent": "plan"}}, FULL, "opencode"),
        ({}, TWO, "opencode"),
        ({"model": "google/g-1"}, TWO, "gemini"),
        ({"model": "g-1"}, TWO, "gemini"),
        ({"model": "x/unlisted"}, TWO, "opencode"),
        ({"metadata": {"agent": "gemini"}, "model": "a/b"}, TWO, "gemini"),
        ({"metadata": {"agent": "explore"}}, ONLY_GEMINI, "gemini"),
        ({"codebase": {"agent_config": {"program": "gemini"}}}, TWO, "gemini"),
        ({"codebase": {"agent_config": {"program": "gemini"}}, "metadata": {"agent": "plan"}}, TWO, "gemini"),
        ({"codebase": {"agent_config": {"program": "gemini"}}, "metadata": {"agent": "opencode"}}, TWO, "opencode"),
        ({"session_id": "s", "metadata": {"session_agent": "gemini"}, "model": "a/b"}, TWO, "gemini"),
        ({"session_id": "s", "metadata": {"session_agent": "gemini", "agent": "opencode"}}, TWO, "opencode"),
        (
            {
                "session_id": "s",
                "metadata": {"session_agent": "opencode"},
                "codebase": {"agent_config": {"program": "gemini"}},
            },
            TWO,
            "opencode",
        ),
        ({"metadata": {"session_agent": "gemini"}}, TWO, "opencode"),  # of no session
    ],
)
def test_which_program_runs_a_task(body: dict[str, object], inventory: Inventory, program: str) -> None:
    assert choose_program(claim(**body), inventory) == program


@pytest.mark.parametrize(
    "body",
    [
        {"model": "a/b"},
        {"metadata": {"agent": "opencode"}},
        {"metadata": {"agent": "x"}},
        {"session_id": "s", "metadata": {"session_agent": "claude"}},
        {"codebase": {"agent_config": {"program": "codex"}}},
    ],
)
def test_what_needs_another_worker(body: dict[str, object]) -> None:
    with pytest.raises(NotForThisWorker):
        choose_program(claim(**body), NOTHING)


@pytest.mark.parametrize(
    ("session_id", "metadata", "forks"),
    [
        ("s", {"fork": True}, True),
        ("s", {"fork": True, "forked_from": "s"}, True),
        ("t", {"fork": True, "forked_from": "s"}, False),  # the copy, which an earlier attempt has made
        (None, {"fork": True}, False),
        ("s", {"fork": "yes"}, False),
    ],
)
def test_only_the_original_session_is_forked(session_id: str | None, metadata: dict[str, object], forks: bool) -> None:
    assert claim(session_id=session_id, metadata=metadata).forks is forks


def folder_of(tmp_path: Path, inside: str = "", *, path: str | None = None, known: bool = True) -> Path:
    codebase = {"id": "c", "path": path or str(tmp_path), "agent_config": {"working_directory": inside}}
    return working_folder(claim(codebase=codebase), fallback=tmp_path / "s", known=known)


def test_where_a_task_works(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    assert folder_of(tmp_path, "web") == tmp_path / "web"
    assert working_folder(claim(), fallback=tmp_path, known=False) == tmp_path


@pytest.mark.parametrize("inside", ["..", "/etc", "web/../..", "missing"])
def test_a_working_directory_stays_inside(tmp_path: Path, inside: str) -> None:
    (tmp_path / "web").mkdir()
    with pytest.raises(AgentError, match="not a folder inside the codebase"):
        folder_of(tmp_path, inside)


def test_a_missing_folder_is_an_error_only_for_the_worker_whose_it_is(tmp_path: Path) -> None:
    with pytest.raises(NotForThisWorker):
        folder_of(tmp_path, path="/no/such", known=False)
    with pytest.raises(AgentError) as refusal:
        folder_of(tmp_path, path="/no/such", known=True)
    assert not isinstance(refusal.value, NotForThisWorker)


def test_keys_are_redacted() -> None:
    environment = {"OPENAI_API_KEY": "sk-abcdefgh", "MY_TOKEN": "short", "LANG": "C.UTF-8x"}
    assert redacted("bad sk-abcdefgh in short C.UTF-8x", environment) == "bad *** in short C.UTF-8x"


def test_the_agent_gets_no_secrets_of_the_worker_and_the_user_wins() -> None:
    base = {"A2A_TOKEN": "x", "HOME": "/home/ada", "OPENCODE_DISABLE_AUTOUPDATE": "0", "OPENAI_API_KEY": "k"}
    made = opencode_environment(base, asks_first=True)
    assert "A2A_TOKEN" not in made
    assert (made["OPENCODE_DISABLE_AUTOUPDATE"], made["OPENAI_API_KEY"]) == ("0", "k")
    assert '"edit":"ask"' in made["OPENCODE_PERMISSION"]
    assert "OPENCODE_PERMISSION" not in opencode_environment(base)


def test_a_limit_of_steps_joins_the_user_s_own_settings() -> None:
    given = {"OPENCODE_CONFIG_CONTENT": '{"model": "a/b", "agent": {"plan": {"steps": 1}}}'}
    made = json.loads(opencode_environment(given, max_steps=7)["OPENCODE_CONFIG_CONTENT"])
    assert made == {"model": "a/b", "agent": {"plan": {"steps": 1}, "build": {"steps": 7}}}
    odd = {"OPENCODE_CONFIG_CONTENT": "// not plain JSON"}
    assert opencode_environment(odd, max_steps=7)["OPENCODE_CONFIG_CONTENT"] == "// not plain JSON"
    assert "OPENCODE_CONFIG_CONTENT" not in opencode_environment({})


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body",
    [
        {"tasks": [{"id": "t"}]},
        {"tasks": ["t"]},
        {"tasks": 3},
        {"tasks": [{"id": 1, "claim_token": "x", "attempt": "y"}]},
    ],
)
async def test_an_answer_that_cannot_be_read_counts_as_none(
    server: FakeControlPlane, monkeypatch: pytest.MonkeyPatch, body: dict[str, object]
) -> None:
    monkeypatch.setattr(server, "handle", lambda *_: body)
    async with ControlPlane(server.url, TOKEN, worker_id="w") as client:
        with pytest.raises(ServerUnreachable):
            await client.claim(limit=1, exclude_codebases=[])


def test_no_database_means_no_totals(tmp_path: Path) -> None:
    assert read_totals(tmp_path / "none.db", "s") is None
    (tmp_path / "bad.db").write_bytes(b"not a database" * 99)
    assert read_totals(tmp_path / "bad.db", "s") is None


@pytest.mark.asyncio
async def test_reaping_finds_what_hid_in_a_session_of_its_own() -> None:
    mark = agent_mark("test", os.urandom(6).hex())
    script = "trap '' TERM; setsid sleep 600 & exec sleep 601"
    environment = {"PATH": os.environ["PATH"], mark: "1"}
    child = await asyncio.create_subprocess_exec("sh", "-c", script, env=environment)
    await asyncio.to_thread(eventually, lambda: len(marked_processes(mark)) == 2)
    assert await reap(mark, grace=0.1) == 2
    assert marked_processes(mark) == []
    await child.wait()


def test_a_mark_is_not_found_in_the_middle_of_a_name() -> None:
    mark = agent_mark("test", os.urandom(6).hex())
    child = subprocess.Popen(["sleep", "600"], env={"OTHER": mark, f"X{mark}": "1", "PATH": os.environ["PATH"]})
    try:
        assert marked_processes(mark) == []
    finally:
        child.kill()
        child.wait()
