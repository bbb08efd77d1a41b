"""Control groups of attempts: nothing that an agent starts gets away, whatever it does to its environment."""

import asyncio
import os
import secrets
from asyncio.subprocess import PIPE

import pytest

from codetether_worker import cgroups
from codetether_worker.processes import agent_mark, marked_processes, reap

ESCAPE = "read line; (env -i setsid sleep 600 >/dev/null 2>&1 &); echo started; read line"


def mark() -> str:
    return agent_mark(secrets.token_hex(4), secrets.token_hex(6))


def runs(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}/exe")


@pytest.fixture
def group() -> str:
    """The mark of an attempt that may have a group; where this machine has none to divide there is nothing to try."""
    name = mark()
    base = cgroups.own_group()
    if base is None or not os.access(base, os.W_OK):
        pytest.skip("no control group of version 2 that is ours to divide")
    return name


@pytest.mark.asyncio
async def test_a_grandchild_without_the_mark_is_ended_too(group: str) -> None:
    process = await asyncio.create_subprocess_exec("sh", "-c", ESCAPE, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert cgroups.enrol(process.pid, group)
    process.stdin.write(b"go\n")
    assert await process.stdout.readline() == b"started\n"
    process.stdin.close()
    await process.wait()
    escaped = marked_processes(group)
    assert len(escaped) == 1
    assert await reap(group, grace=2.0) == 1
    assert not any(map(runs, escaped))


@pytest.mark.asyncio
async def test_groups_of_ended_attempts_are_removed(group: str) -> None:
    """Also those of an earlier life of the worker, which are found by what they have in common."""
    process = await asyncio.create_subprocess_exec("sleep", "600")
    assert cgroups.enrol(process.pid, group)
    await reap(group.rpartition("_")[0], grace=2.0)
    await process.wait()
    base = cgroups.own_group()
    assert base is not None
    assert not list(base.glob(f"{group}*"))


def test_without_a_group_the_mark_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "own_group", lambda: None)
    assert not cgroups.enrol(os.getpid(), mark())
    assert marked_processes(mark()) == []
