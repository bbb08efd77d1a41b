"""What the programs have printed when they were run for one prompt, and the turn and events that it becomes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codetether_worker.agents.base import Assignment, Turn
from codetether_worker.agents.claude import launch_claude_cli
from codetether_worker.agents.cli_session import CliSession
from codetether_worker.agents.codex import launch_codex_cli
from codetether_worker.checks.agents import check_agents
from codetether_worker.checks.findings import Level
from codetether_worker.discovery import take_inventory
from codetether_worker.errors import AgentError
from codetether_worker.events import Event
from tests.worker.test_agent_events import assignment
from tests.worker.test_check import config

RECORDINGS = Path(__file__).parent / "recordings"
LAUNCHES = {"claude": launch_claude_cli, "codex": launch_codex_cli}


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def task(tmp_path: Path, told: list[Event]) -> Assignment:
    """A task of Ada's whose codebase lets the program do what it wants."""
    (tmp_path / "README.md").write_text("# shop\n")
    return replace(assignment(tmp_path, told, auto_approves=True), agent_type="build", mark="CODETETHER_AGENT_by_line")


def recorded(name: str) -> str:
    return (RECORDINGS / f"cli-{name}.jsonl").read_text()


def printing(folder: Path, text: str, *, code: int = 0) -> Path:
    """A program that reads its prompt, notes its arguments, and prints the text."""
    said = folder / "said.jsonl"
    said.write_text(text.replace("/srv/shop", str(folder)))
    program = folder / "program"
    noted = shlex.quote(str(folder / "arguments"))
    program.write_text(f'#!/bin/sh\necho "$@" > {noted}; cat > /dev/null; cat {shlex.quote(str(said))}; exit {code}\n')
    program.chmod(0o755)
    return program


async def run(name: str, task: Assignment, program: Path) -> tuple[Turn, dict[str, Any]]:
    session = CliSession(task, LAUNCHES[name](program, {"HOME": str(task.workdir), "PATH": "/usr/bin:/bin"}, task))
    try:
        await session.start()
        return await session.prompt("RENAME the shop"), dict(session.usage())
    finally:
        await session.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "tools", "used"),
    [("claude", ["Read", "Edit", "Bash"], (400, 80, 40)), ("codex", ["apply_patch", "shell"], (300, 60, 30))],
)
async def test_a_run_becomes_a_turn_with_its_events(
    name: str, tools: list[str], used: tuple[int, int, int], task: Assignment, told: list[Event]
) -> None:
    turn, usage = await run(name, task, printing(task.workdir, recorded(f"{name}-rename")))
    assert (turn.stop_reason, turn.text) == ("end_turn", "It is a store now.")
    assert [event.data["tool"] for event in told if event.kind == "tool_use"] == tools
    results = [event.data for event in told if event.kind == "tool_result"]
    assert (results[-1]["status"], results[-1]["output"].strip()) == ("completed", "counted 3 apples")
    assert "README.md" in [event.data["path"] for event in told if event.kind == "file_change"]
    assert [event.data["agent"] for event in told if event.kind == "session"] == [name]
    assert (usage["input_tokens"], usage["output_tokens"], usage["cached_input_tokens"]) == used
    assert ("cost_usd" in usage) == (name == "claude")


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["claude", "codex"])
async def test_an_error_of_the_provider_is_no_success_whatever_it_calls_itself(name: str, task: Assignment) -> None:
    turn, _ = await run(name, task, printing(task.workdir, recorded(f"{name}-denied")))
    assert (turn.stop_reason, turn.error_code) == ("failed", "agent_error")
    assert "API key not valid" in str(turn.error)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["claude", "codex"])
async def test_without_the_terminal_line_it_has_failed_though_its_exit_code_is_0(name: str, task: Assignment) -> None:
    text = "".join(recorded(f"{name}-rename").splitlines(keepends=True)[:-1]) + "oh no\n"
    turn, _ = await run(name, task, printing(task.workdir, text))
    assert (turn.stop_reason, turn.error_code, turn.retry) == ("failed", "agent_crashed", True)
    assert str(turn.error).endswith("ended unexpectedly (exit code 0): oh no")


def _denial(line: dict[str, Any]) -> None:
    line["permission_denials"] = [{"tool_name": "Bash"}]


def _declined(line: dict[str, Any]) -> None:
    line["item"]["status"] = "declined"


@pytest.mark.asyncio
@pytest.mark.parametrize(("name", "which", "change"), [("claude", -1, _denial), ("codex", -3, _declined)])
async def test_what_was_not_permitted_fails_the_task(
    name: str, which: int, change: Callable[[dict[str, Any]], None], task: Assignment
) -> None:
    lines = [json.loads(line) for line in recorded(f"{name}-rename").splitlines()]
    change(lines[which])
    program = printing(task.workdir, "".join(json.dumps(line) + "\n" for line in lines))
    turn, _ = await run(name, task, program)
    assert (turn.stop_reason, turn.error_code) == ("failed", "permission_denied")
    reading, _ = await run(name, replace(task, agent_type="plan"), program)
    assert reading.stop_reason == "end_turn"  # to be refused that is what it is for


@pytest.mark.asyncio
@pytest.mark.parametrize("rule", [{"auto_approves": False}, {"denied": ("bash",)}])
async def test_who_wants_to_be_asked_is_told_that_nobody_can_be(task: Assignment, rule: dict[str, Any]) -> None:
    with pytest.raises(AgentError) as refusal:
        await run("claude", replace(task, **rule), printing(task.workdir, ""))
    assert refusal.value.code == "asking_unsupported"
    assert not (task.workdir / "arguments").exists()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "fork", "expected"),
    [
        ("claude", False, "--resume s-1"),
        ("claude", True, "--resume s-1 --fork-session"),
        ("codex", False, "resume s-1 -"),
        ("codex", True, "fork s-1 -"),
    ],
)
async def test_a_session_is_gone_on_with_or_forked(name: str, fork: bool, expected: str, task: Assignment) -> None:
    earlier = replace(task, session_id="s-1", metadata={"fork": fork})
    await run(name, earlier, printing(task.workdir, recorded(f"{name}-rename")))
    assert (task.workdir / "arguments").read_text().strip().endswith(expected)


@pytest.mark.asyncio
async def test_a_program_without_its_adapter_is_found_and_the_check_says_what_it_lacks(tmp_path: Path) -> None:
    program = printing(tmp_path, "1.2.3 (Claude Code)\n")
    settings = config(CLAUDE_BIN=str(program), ANTHROPIC_API_KEY="k", PATH="/usr/bin:/bin")
    [found] = (await take_inventory(settings)).installed
    assert (found.name, found.by_line) == ("claude", True)
    [finding] = await check_agents(settings)
    assert finding.level is Level.WARN
    assert "without its adapter" in finding.text
    both = config(CLAUDE_BIN=str(program), CLAUDE_ACP_BIN=str(program), PATH="/usr/bin:/bin")
    assert (await take_inventory(both)).installed[0].by_line is False
