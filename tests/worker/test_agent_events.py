"""ACP updates become events; ACP permission requests become questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from acp.schema import PermissionOption

from codetether_worker.agents.acp_permissions import PermissionDesk
from codetether_worker.agents.acp_updates import UpdateTranslator
from codetether_worker.agents.base import Answer, Assignment
from codetether_worker.events import Event
from codetether_worker.worktree import WorkingTree
from tests.worker.conftest import eventually

pytestmark = pytest.mark.asyncio


@pytest.fixture
def told() -> list[Event]:
    return []


def assignment(folder: Path, told: list[Event], *, auto_approves: bool = False) -> Assignment:
    return Assignment(
        task_id="t-1", workdir=folder, agent_type="", model=None, session_id=None, auto_approves=auto_approves,
        max_steps=None, has_codebase=True, mark="M", scratch=folder, emit=told.append,
    )  # fmt: skip


@pytest_asyncio.fixture
async def translator(tmp_path: Path, told: list[Event]) -> AsyncIterator[UpdateTranslator]:
    made = UpdateTranslator(assignment(tmp_path, told), WorkingTree(tmp_path, tmp_path))
    made.start()
    yield made
    await made.close()


def chunk(text: str, message: str = "m1", kind: str = "agent_message_chunk") -> dict[str, Any]:
    return {"sessionUpdate": kind, "messageId": message, "content": {"type": "text", "text": text}}


def tool(status: str, **more: Any) -> dict[str, Any]:
    return {"sessionUpdate": "tool_call_update", "toolCallId": "c1", "status": status, **more}


async def test_chunks_are_gathered_and_kinds_kept_apart(translator: UpdateTranslator, told: list[Event]) -> None:
    for update in (chunk("hm ", kind="agent_thought_chunk"), chunk("one "), chunk("two")):
        translator.take(update)
    await translator.settle()
    shown = [(event.data["type"], event.data["content"]) for event in told]
    assert shown == [("reasoning", "hm "), ("text", "one two")]


async def test_gathered_text_is_reported_without_waiting_for_more(
    translator: UpdateTranslator, told: list[Event]
) -> None:
    translator.take(chunk("slow"))
    await asyncio.to_thread(eventually, lambda: told)
    assert told[0].data["content"] == "slow"


async def test_an_agent_that_never_pauses_is_heard_while_it_speaks_and_in_whole_words(
    translator: UpdateTranslator, told: list[Event]
) -> None:
    said = 0
    while len(told) < 3:
        translator.take(chunk("ab"))
        translator.take(chunk(f"{said} "))
        said += 1
        await asyncio.sleep(0.002)
        assert said < 10_000
    await translator.settle()
    texts = [event.data["content"] for event in told]
    assert "".join(texts) == "".join(f"ab{number} " for number in range(said))
    assert all(text.startswith("ab") for text in texts)


async def test_half_a_word_is_told_when_no_more_comes(translator: UpdateTranslator, told: list[Event]) -> None:
    translator.take(chunk("one tw"))
    await asyncio.to_thread(eventually, lambda: told)
    assert [event.data["content"] for event in told] == ["one tw"]


async def test_long_text_is_reported_in_pieces(translator: UpdateTranslator, told: list[Event]) -> None:
    for _ in range(10):
        translator.take(chunk("x" * 1000))
    await translator.settle()
    assert [len(event.data["content"]) for event in told] == [4000, 4000, 2000]


async def test_the_answer_is_the_last_message(translator: UpdateTranslator) -> None:
    translator.take(chunk("I will look."))
    translator.take(tool("completed", title="read", kind="read"))
    translator.take(chunk("It is "))
    translator.take(chunk("blue."))
    await translator.settle()
    assert translator.answer_text == "It is blue."


async def test_a_tool_is_announced_once_with_its_arguments(translator: UpdateTranslator, told: list[Event]) -> None:
    begun = {"sessionUpdate": "tool_call", "toolCallId": "c1", "title": "bash", "kind": "execute", "status": "pending"}
    translator.take({**begun, "rawInput": {}})
    translator.take(tool("in_progress", title="ls -l", rawInput={"command": "ls -l"}))
    translator.take(tool("in_progress", title="ls -l", rawInput={"command": "ls -l"}))
    translator.take(tool("failed", rawOutput={"error": "no"}))
    await translator.settle()
    assert [event.kind for event in told] == ["tool_use", "tool_result"]
    assert told[0].data == {"tool": "bash", "args": {"command": "ls -l"}, "call_id": "c1", "title": "ls -l"}
    assert (told[1].data["status"], told[1].data["output"]) == ("failed", "no")


async def test_an_edit_without_git_reports_the_diff_of_the_agent(
    translator: UpdateTranslator, told: list[Event], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("x")
    facts = {"diff": "the diff", "filepath": str(tmp_path / "a.txt"), "exists": False}
    translator.take(tool("completed", title="write", kind="edit", rawOutput={"output": "ok", "metadata": facts}))
    await translator.settle()
    assert told[-1].data == {"action": "created", "path": "a.txt", "diff": "the diff"}


async def test_what_cannot_be_translated_ends_the_wait_for_the_turn(
    translator: UpdateTranslator, told: list[Event]
) -> None:
    translator.take(chunk("said before"))
    translator.take({"sessionUpdate": "usage_update", "cost": {"currency": "USD", "amount": "a lot"}})
    translator.take(chunk("said after"))
    async with asyncio.timeout(5):
        assert await translator.unless_broken(asyncio.Event().wait()) is None
        await translator.settle()
    assert isinstance(translator.failure, ValueError)
    assert [event.data["content"] for event in told] == ["said before"]


async def test_a_plan_is_a_status(translator: UpdateTranslator, told: list[Event]) -> None:
    translator.take({"sessionUpdate": "plan", "entries": [{"content": "look", "status": "pending"}]})
    await translator.settle()
    assert told[0].data["message"] == "Plan:\n- [pending] look"


OPTIONS = [
    PermissionOption(option_id="1", name="Allow once", kind="allow_once"),
    PermissionOption(option_id="2", name="Always", kind="allow_always"),
    PermissionOption(option_id="3", name="Reject", kind="reject_once"),
]
CALL = {"toolCallId": "c1", "title": "rm -rf build", "kind": "execute"}


async def decision(desk: PermissionDesk, text: str, **data: Any) -> tuple[Answer, str | None]:
    asked = asyncio.create_task(desk.decide(CALL, OPTIONS))
    await asyncio.sleep(0)
    answer = desk.answer(text, data)
    outcome = (await asked).outcome
    return answer, getattr(outcome, "option_id", None)


@pytest.mark.parametrize(
    ("text", "data", "answer", "option"),
    [
        ("yes", {}, Answer.SETTLED, "1"),
        ("OK, go on", {}, Answer.SETTLED, "1"),
        ("always", {}, Answer.SETTLED, "2"),
        ("no", {}, Answer.SETTLED, "3"),
        ("2", {}, Answer.SETTLED, "2"),
        ("Reject", {}, Answer.SETTLED, "3"),
        ("", {"option_id": "1"}, Answer.SETTLED, "1"),
        ("allow_always", {}, Answer.SETTLED, "2"),
        ("use make clean instead", {}, Answer.REFUSED_WITH_TEXT, "3"),
        ("yesterday you broke it", {}, Answer.REFUSED_WITH_TEXT, "3"),
        ("not now", {}, Answer.REFUSED_WITH_TEXT, "3"),
        ("", {}, Answer.REFUSED_WITH_TEXT, "3"),
    ],
)
async def test_what_an_answer_means(
    tmp_path: Path, told: list[Event], text: str, data: dict[str, str], answer: Answer, option: str
) -> None:
    assert await decision(PermissionDesk(assignment(tmp_path, told)), text, **data) == (answer, option)


@pytest.mark.parametrize("way", ["plan", "explore"])
@pytest.mark.parametrize("kind", ["edit", "execute", "delete", "move", "switch_mode", "other", None])
async def test_who_only_reads_is_refused_the_rest_without_asking(
    tmp_path: Path, told: list[Event], way: str, kind: Any
) -> None:
    reader = replace(assignment(tmp_path, told, auto_approves=True), agent_type=way)
    call = {**CALL, "kind": kind}
    outcome = (await PermissionDesk(reader).decide(call, OPTIONS)).outcome
    assert getattr(outcome, "option_id", None) == "3"
    assert [event.data["message"] for event in told] == [f"Refused, since {way} only reads: rm -rf build"]


async def test_who_only_reads_may_read(tmp_path: Path, told: list[Event]) -> None:
    reader = replace(assignment(tmp_path, told, auto_approves=True), agent_type="plan")
    outcome = (await PermissionDesk(reader).decide({"toolCallId": "c1", "kind": "read"}, OPTIONS)).outcome
    assert getattr(outcome, "option_id", None) == "1"


async def test_a_question_is_open_until_it_is_answered(tmp_path: Path, told: list[Event]) -> None:
    desk = PermissionDesk(assignment(tmp_path, told))
    assert desk.answer("yes", {}) is Answer.UNASKED
    asked = asyncio.create_task(desk.decide(CALL, OPTIONS))
    await asyncio.sleep(0)
    assert desk.awaits_person
    desk.cancel()
    assert (await asked).outcome.outcome == "cancelled"
    assert not desk.awaits_person


async def test_two_questions_are_told_apart_by_their_call(tmp_path: Path, told: list[Event]) -> None:
    desk = PermissionDesk(assignment(tmp_path, told))
    second = {"toolCallId": "c2", "title": "ls"}
    first_asked = asyncio.create_task(desk.decide(CALL, OPTIONS))
    second_asked = asyncio.create_task(desk.decide(second, OPTIONS))
    await asyncio.sleep(0)
    desk.answer("no", {"call_id": "c2"})
    desk.answer("yes", {})
    assert [(await asked).outcome.option_id for asked in (first_asked, second_asked)] == ["1", "3"]  # type: ignore[union-attr]


async def test_auto_approval_asks_nobody(tmp_path: Path, told: list[Event]) -> None:
    desk = PermissionDesk(assignment(tmp_path, told, auto_approves=True))
    assert (await desk.decide(CALL, OPTIONS)).outcome.option_id == "1"  # type: ignore[union-attr]
    assert told == []
