"""What Claude Code's and Codex's adapters have said while they did a task, and the events that it becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codetether_worker.agents.acp_updates import UpdateTranslator
from codetether_worker.agents.claude import launch_claude
from codetether_worker.agents.codex import launch_codex
from codetether_worker.agents.launch import Quirks
from codetether_worker.events import Event
from codetether_worker.worktree import WorkingTree
from tests.worker.test_agent_events import assignment

RECORDINGS = Path(__file__).parent / "recordings"
LAUNCHES = {"claude": launch_claude, "codex": launch_codex}


def quirks(program: str, folder: Path) -> Quirks:
    return LAUNCHES[program](Path("/bin/true"), {"HOME": str(folder)}, assignment(folder, [])).quirks


def recorded(program: str, folder: Path) -> list[dict[str, Any]]:
    """Its updates, as if it had worked in this folder."""
    text = (RECORDINGS / f"acp-{program}.jsonl").read_text().replace("/srv/shop", str(folder))
    return [json.loads(line) for line in text.splitlines()]


async def events_of(program: str, folder: Path) -> tuple[list[Event], str]:
    """The events, and the answer to the task."""
    told: list[Event] = []
    (folder / "README.md").write_text("# shop\n")
    tree = WorkingTree(folder, folder)
    translator = UpdateTranslator(assignment(folder, told), tree)
    translator.start()
    normalised = quirks(program, folder).normalised
    try:
        for update in recorded(program, folder):
            translator.take(normalised(update))
        await translator.settle()
        return told, translator.answer_text
    finally:
        await translator.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("program", "tools"), [("claude", ["Read", "Edit", "Bash"]), ("codex", ["apply_patch", "shell"])]
)
async def test_calls_are_told_with_arguments_results_and_files(program: str, tools: list[str], tmp_path: Path) -> None:
    told, _ = await events_of(program, tmp_path)
    uses = [event.data for event in told if event.kind == "tool_use"]
    assert [use["tool"] for use in uses] == tools
    assert uses[-1]["args"]["command"] == "sleep 0.3; echo counted 3 apples"
    results = [event.data for event in told if event.kind == "tool_result"]
    assert [result["status"] for result in results] == ["completed"] * len(tools)
    assert "counted 3 apples" in results[-1]["output"]
    assert [event.data["path"] for event in told if event.kind == "file_change"] == ["README.md"]


@pytest.mark.asyncio
@pytest.mark.parametrize("program", ["claude", "codex"])
async def test_a_call_is_told_before_its_result(program: str, tmp_path: Path) -> None:
    told, _ = await events_of(program, tmp_path)
    order = [event.kind for event in told if event.kind.startswith("tool_")]
    assert order == ["tool_use", "tool_result"] * (len(order) // 2)


def test_codex_says_in_its_thread_s_state_that_the_provider_failed(tmp_path: Path) -> None:
    broke = [quirks("codex", tmp_path).broke(update) for update in recorded("codex", tmp_path)]
    assert broke == [False] * (len(broke) - 1) + [True]
