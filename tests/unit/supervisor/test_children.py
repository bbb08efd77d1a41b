"""Keeping one program running, and stopping it."""

import os
from pathlib import Path

import pytest

from codetether.supervisor.children import Child
from tests.unit.supervisor.conftest import MakeProgram, eventually, within

pytestmark = pytest.mark.asyncio


def text(path: Path | None) -> str:
    assert path is not None
    return path.read_text() if path.exists() else ""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that init has not collected yet is as good as gone.
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def test_a_crashed_program_starts_again_and_says_why(shell: MakeProgram) -> None:
    reports: list[str] = []
    child = Child(shell("echo the oven is cold; exit 3"), reports.append, first_delay=0.01)
    await child.start()
    await eventually(lambda: text(child.program.log).count("oven") >= 2)
    await within(child.stop())
    assert reports[0].startswith("baker ended with exit code 3: the oven is cold (log: ")
    assert reports[0].endswith("starting again in 0.01 s")


async def test_the_pause_doubles_while_it_keeps_crashing(shell: MakeProgram) -> None:
    reports: list[str] = []
    child = Child(shell("exit 1"), reports.append, first_delay=0.01)
    await child.start()
    await eventually(lambda: len(reports) >= 3)
    await within(child.stop())
    assert [line.rpartition(" in ")[2] for line in reports[:3]] == ["0.01 s", "0.02 s", "0.04 s"]


async def test_a_stop_during_the_pause_is_final(shell: MakeProgram) -> None:
    reports: list[str] = []
    child = Child(shell("echo started; exit 1"), reports.append, first_delay=600)
    await child.start()
    await eventually(lambda: reports)
    await within(child.stop())
    assert text(child.program.log).count("started") == 1


async def test_a_stop_is_a_request_first(shell: MakeProgram) -> None:
    child = Child(shell("trap 'echo swept; exit 0' TERM; echo open; while :; do sleep 0.05; done"), print)
    await child.start()
    await eventually(lambda: "open" in text(child.program.log))
    await within(child.stop())
    assert "swept" in text(child.program.log)


async def test_a_deaf_program_is_killed(shell: MakeProgram) -> None:
    reports: list[str] = []
    program = shell("trap '' TERM; echo open; while :; do sleep 0.05; done", stop_timeout=0.2)
    child = Child(program, reports.append)
    await child.start()
    await eventually(lambda: "open" in text(child.program.log))
    await within(child.stop())
    assert child.exit_code == -9
    assert reports == ["baker does not stop within 0.2 s; killing it"]


async def test_what_a_program_began_ends_with_it(shell: MakeProgram) -> None:
    child = Child(shell("sleep 600 & echo $!; wait"), print)
    await child.start()
    await eventually(lambda: text(child.program.log).endswith("\n"))
    apprentice = int(text(child.program.log))
    await within(child.stop())
    await eventually(lambda: not is_alive(apprentice))


async def test_a_restart_on_request_is_no_crash(shell: MakeProgram) -> None:
    reports: list[str] = []
    child = Child(shell("echo open; exec sleep 600"), reports.append, first_delay=600)
    await child.start()
    await eventually(lambda: text(child.program.log).count("open") == 1)
    child.restart()
    await eventually(lambda: text(child.program.log).count("open") == 2)
    await within(child.stop())
    assert reports == ["baker restarts as asked"]


async def test_without_restarts_an_end_is_final(shell: MakeProgram) -> None:
    child = Child(shell("exit 7"), print, restarts=False, first_delay=0)
    await child.start()
    await within(child.ended_once.wait())
    await within(child.stop())
    assert child.describe_end().startswith("ended with exit code 7")


async def test_a_signal_is_called_by_its_name(shell: MakeProgram) -> None:
    child = Child(shell("kill -KILL $$"), print, restarts=False)
    await child.start()
    await within(child.ended_once.wait())
    assert child.describe_end().startswith("was ended by SIGKILL")


async def test_output_of_a_run_to_its_end_comes_back(shell: MakeProgram) -> None:
    child = Child(shell("echo bread; echo crumbs >&2; exit 2"), print)
    assert await within(child.run_to_end()) == "bread\n"
    assert (child.exit_code, child.last_line()) == (2, "crumbs")


async def test_only_this_runs_log_counts(shell: MakeProgram) -> None:
    program = shell("exit 1")
    assert program.log is not None
    program.log.write_text("words of an earlier run\n")
    child = Child(program, print)
    await within(child.run_to_end())
    assert child.last_line() == ""
