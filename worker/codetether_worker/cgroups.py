"""A control group for each attempt, where the machine lets us have one (cgroup v2, cgroups(7)).

What an agent starts stays in its group whatever it does to its environment or session, which the mark in
processes.py does not survive. Under systemd the service needs `Delegate=yes`. Where there is no group of version 2, or
it is not ours to divide, the mark alone has to do.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

_MOUNTS = Path("/proc/self/mountinfo")
_OWN = Path("/proc/self/cgroup")


@cache
def own_group() -> Path | None:
    """The folder of the control group that this process began in; None without version 2."""
    try:
        mounts = [line.split() for line in _MOUNTS.read_text().splitlines()]
        own = next(line.removeprefix("0::") for line in _OWN.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return None
    # mountinfo: … root, mount point, options, …, "-", type, …
    points = [words[4] for words in mounts if words[words.index("-") + 1] == "cgroup2"]
    folder = Path(points[0]) / own.lstrip("/") if points else None
    return folder if folder is not None and folder.is_dir() else None


def enrol(pid: int, mark: str) -> bool:
    """Put a process that was just started, and so all that it will start, into the attempt's own group."""
    base = own_group()
    if base is None:
        return False
    try:
        (base / mark).mkdir(exist_ok=True)
        (base / mark / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        log.debug("no control group for the attempt: %s", error)
        dismiss(mark)
        return False
    return True


def members(mark: str) -> set[int]:
    """Processes in groups of attempts whose mark begins so, and in groups that they have made below."""
    base = own_group()
    found: set[int] = set()
    for listed in base.glob(f"{mark}*/**/cgroup.procs") if base is not None else ():
        with suppress(OSError):  # gone meanwhile
            found.update(map(int, listed.read_text().split()))
    return found


def dismiss(mark: str) -> None:
    """Remove the groups of these attempts that have nobody in them any more."""
    base = own_group()
    if base is None:
        return
    for folder in sorted(base.glob(f"{mark}*/**/"), reverse=True):
        with suppress(OSError):
            folder.rmdir()
