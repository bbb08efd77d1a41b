"""Finding and ending every process that an agent started, wherever it has moved itself.

A process group is not enough: agents' tool children call setsid. So each agent gets an environment variable
whose name is unique to the attempt; children inherit it, and /proc/*/environ shows it. Where it may, it also gets a
control group of that name, which even a child that clears its environment cannot leave.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from codetether_worker import cgroups

log = logging.getLogger(__name__)

_PREFIX = "CODETETHER_AGENT_"
_PROC = Path("/proc")
_POLL = 0.05


def agent_mark(instance: str, attempt: str) -> str:
    """The variable's name for one attempt of the daemon whose state directory is `instance`."""
    return f"{_PREFIX}{instance}_{attempt}"


def instance_mark(instance: str) -> str:
    """What the marks of all attempts of that daemon begin with."""
    return f"{_PREFIX}{instance}_"


def marked_processes(mark: str) -> list[int]:
    """Ids of running processes with a variable, or in a group, whose name begins with `mark`; never this process.

    Zombies are not counted: they run nothing, and their parent has to collect them.
    """
    needle = mark.encode()
    found = {pid for pid in cgroups.members(mark) if _runs(pid)}
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdigit() and _environ_has(entry, needle):
            found.add(int(entry.name))
    return sorted(found - {os.getpid()})


def _runs(pid: int) -> bool:
    """Whether it is more than a zombie (proc_pid_stat(5): the state follows the name in brackets)."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _environ_has(entry: Path, needle: bytes) -> bool:
    try:
        environ = (entry / "environ").read_bytes()
    except OSError:  # gone meanwhile, or another user's
        return False
    return environ.startswith(needle) or b"\0" + needle in environ


async def reap(mark: str, *, grace: float) -> int:
    """End every marked process: SIGTERM, up to `grace` seconds, then SIGKILL until none is left.

    Returns how many were found at first. A process that forks while it is being ended is caught by the loop.
    """
    first = await asyncio.to_thread(marked_processes, mark)
    if not first:
        cgroups.dismiss(mark)
        return 0
    _signal_all(first, signal.SIGTERM)
    left = await _wait_gone(mark, grace)
    deadline = time.monotonic() + 10.0
    while left and time.monotonic() < deadline:
        _signal_all(left, signal.SIGKILL)
        left = await _wait_gone(mark, 1.0)
    if left:
        log.error("processes survive SIGKILL pids=%s", left)
    cgroups.dismiss(mark)
    return len(first)


async def _wait_gone(mark: str, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while True:
        left = await asyncio.to_thread(marked_processes, mark)
        if not left or time.monotonic() >= deadline:
            return left
        await asyncio.sleep(_POLL)


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
