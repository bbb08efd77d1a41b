"""The agent of the compatibility kits: the messageId says what it does, and only a setting brings it to life."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from codetether_worker.agents.base import Answer, Assignment, Turn
from codetether_worker.agents.conformance import GREETING, ConformanceSession
from codetether_worker.cli import build_parser
from codetether_worker.config import load_config
from codetether_worker.discovery import take_inventory
from codetether_worker.errors import ConfigError
from codetether_worker.events import Event
from codetether_worker.files import artifacts_folder
from codetether_worker.protocol import Claim
from codetether_worker.routing import NotForThisWorker, choose_program

pytestmark = pytest.mark.asyncio


class Told(list[Event]):
    """What was reported; `first` is set by the first report."""

    def __init__(self) -> None:
        super().__init__()
        self.first = asyncio.Event()

    def append(self, event: Event) -> None:
        super().append(event)
        self.first.set()


def session_for(message_id: str, *, scratch: Path = Path("/")) -> tuple[ConformanceSession, Told]:
    told = Told()
    assignment = Assignment(
        task_id="t-1", workdir=Path("/"), agent_type="conformance", model=None, session_id=None, auto_approves=True,
        max_steps=None, has_codebase=False, mark="M", scratch=scratch, emit=told.append,
        metadata={"a2a": {"messageId": message_id}},
    )  # fmt: skip
    return ConformanceSession(assignment), told


async def played(message_id: str) -> tuple[Turn, Told]:
    session, told = session_for(message_id)
    return await session.prompt("hi"), told


@pytest.mark.parametrize(
    ("message_id", "parts"),
    [
        ("tck-artifact-text-7", [[{"text": "Generated text content"}]]),
        ("tck-artifact-data-7", [[{"data": {"key": "value", "count": 42}}]]),
        ("tck-stream-001", [[{"text": "Stream hello from TCK"}]]),
        ("tck-stream-002", []),
        ("tck-stream-artifact-chunked-7", [[{"text": "chunk-1 "}], [{"text": "chunk-2"}]]),
    ],
)
async def test_what_the_id_asks_for_is_reported_before_the_end(message_id: str, parts: list[Any]) -> None:
    turn, told = await played(message_id)
    assert turn == Turn("end_turn", "")
    assert [event.data["parts"] for event in told] == parts


async def test_a_file_has_a_name_and_a_type() -> None:
    _, (event,) = await played("tck-artifact-file-url-7")
    (part,) = event.data["parts"]
    assert (part["url"], part["filename"], part["media_type"]) == (
        "https://example.com/output.txt", "output.txt", "text/plain",
    )  # fmt: skip


async def test_a_file_with_content_is_left_to_be_handed_in(tmp_path: Path) -> None:
    session, told = session_for("tck-artifact-file-7", scratch=tmp_path)
    artifacts_folder(tmp_path).mkdir()
    assert await session.prompt("hi") == Turn("end_turn", "")
    assert [(made.name, made.read_text()) for made in artifacts_folder(tmp_path).iterdir()] == [
        ("output.txt", "Generated file content")
    ]
    assert not told


async def test_chunks_are_one_artifact_whose_last_says_so() -> None:
    _, told = await played("tck-stream-artifact-chunked")
    assert [(event.data["append"], event.data["last_chunk"]) for event in told] == [(False, False), (True, True)]
    assert len({event.data["artifact_id"] for event in told}) == 1


async def test_words_a_message_and_a_refusal() -> None:
    assert (await played("tck-complete-task-7"))[0] == Turn("end_turn", GREETING)
    assert (await played("some-uuid"))[0] == Turn("end_turn", GREETING)
    assert (await played("tck-message-response"))[0] == Turn("end_turn", "Direct message response", direct=True)
    assert (await played("tck-reject-task"))[0].stop_reason == "rejected"


async def test_a_question_waits_for_its_answer_which_may_ask_for_something_else() -> None:
    session, told = session_for("tck-input-required-1")
    turn = asyncio.create_task(session.prompt("hi"))
    await asyncio.wait_for(told.first.wait(), 5)
    assert session.awaits_person
    assert [event.kind for event in told] == ["input_required"]
    assert session.answer("more", {"a2a": {"messageId": "tck-artifact-text-1"}}) is Answer.SETTLED
    assert await turn == Turn("end_turn", "")
    assert told[-1].kind == "artifact"
    assert session.answer("again", {}) is Answer.UNASKED


async def test_long_work_ends_at_once_when_it_is_cancelled() -> None:
    session, told = session_for("test-resubscribe-message-id-1")
    turn = asyncio.create_task(session.prompt("hi"))
    async with asyncio.timeout(2):
        await told.first.wait()
        await session.cancel()
        assert (await turn).stop_reason == "cancelled"


@pytest.mark.parametrize(("value", "there"), [("true", True), ("false", False), ("", False)])
async def test_only_the_setting_brings_it_to_life(value: str, there: bool) -> None:
    environment = {"HOME": "/home/ada", "PATH": "/nowhere", "A2A_CONFORMANCE": value}
    inventory = await take_inventory(load_config(build_parser().parse_args([]), environment))
    assert ("conformance" in inventory.capabilities) is there


async def test_a_value_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ConfigError, match="A2A_CONFORMANCE"):
        load_config(build_parser().parse_args([]), {"HOME": "/home/ada", "A2A_CONFORMANCE": "perhaps"})


async def test_a_worker_without_it_gives_such_a_task_back() -> None:
    config = load_config(build_parser().parse_args([]), {"HOME": "/home/ada", "PATH": "/nowhere"})
    claim = Claim("t-1", "c-1", agent_type="conformance")
    with pytest.raises(NotForThisWorker):
        choose_program(claim, await take_inventory(config))
