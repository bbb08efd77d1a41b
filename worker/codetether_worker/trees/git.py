"""Running git in repositories that others own: without their hooks, without prompts, for a bounded time.

What the repository's configuration may switch on that would run a program, wait for a person or write behind our back
is switched off on the command line; variables that point git elsewhere are kept from it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from codetether_worker.config import process_environment

SECONDS = 60.0
CHECKOUT_SECONDS = 600.0
_DEVNULL, _PIPE = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
_READ_AT_ONCE = 64 * 1024
_WITHOUT = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "commit.gpgSign=false", "gc.auto=0", "maintenance.auto=false",
    "rerere.enabled=false", "submodule.recurse=false", "merge.autoStash=false", "merge.ff=true",
    "advice.detachedHead=false",
)  # fmt: skip
_COMMAND = ("git", *(word for setting in _WITHOUT for word in ("-c", setting)))
_WHO = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "CodeTether"), ("EMAIL", "worker@codetether.invalid"))
}
_OWN = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": ":", "GIT_LITERAL_PATHSPECS": "1", **_WHO}


@dataclass(frozen=True, slots=True)
class Done:
    """How a git command ended. `code` is None when git is missing or was ended for taking too long."""

    code: int | None
    out: bytes = b""
    error: str = ""

    def __bool__(self) -> bool:
        return self.code == 0

    @property
    def line(self) -> str:
        """Its output as one line of text."""
        return os.fsdecode(self.out).rstrip("\n")

    @property
    def names(self) -> list[str]:
        """Its output as names that end with NUL."""
        return [os.fsdecode(name) for name in self.out.split(b"\0") if name]

    @property
    def why(self) -> str:
        """What git said last, for people."""
        lines = [line.strip() for line in self.error.splitlines() if line.strip()]
        return (lines[-1] if lines else f"git ended with {self.code}")[:500]


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git in a folder; `environment` may name another git directory, work tree, index or object store."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_tree(cls, work_tree: Path, git_dir: Path) -> Git:
        """In a work tree whose git directory is known, whatever has become of the file `.git` in it."""
        return cls(work_tree, {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(work_tree)})

    @classmethod
    def of_repository(cls, git_dir: Path) -> Git:
        """For what concerns no work tree."""
        return cls(git_dir, {"GIT_DIR": str(git_dir)})

    async def __call__(self, *arguments: str, said: bytes | None = None, seconds: float = SECONDS) -> Done:
        """Run it with `said` as its input."""
        try:
            process = await self._start(arguments, _DEVNULL if said is None else _PIPE)
        except OSError as error:
            return Done(None, error=f"git cannot be run here: {error.strerror}")
        try:
            out, told = await asyncio.wait_for(process.communicate(said), seconds)
        except TimeoutError:
            return Done(None, error=f"git {arguments[0]} took longer than {seconds:.0f} s")
        finally:
            await _end(process)
        return Done(process.returncode, out, told.decode("utf-8", "replace"))

    async def beginning(self, *arguments: str, most: int) -> tuple[bytes, bool]:
        """The first `most` bytes of what it prints, and whether there was more. Nothing where it fails."""
        try:
            process = await self._start(arguments, _DEVNULL, _DEVNULL)
        except OSError:
            return b"", False
        assert process.stdout is not None  # noqa: S101
        read = bytearray()
        try:
            async with asyncio.timeout(SECONDS):
                while len(read) <= most and (chunk := await process.stdout.read(_READ_AT_ONCE)):
                    read += chunk
        except TimeoutError:
            return bytes(read[:most]), True
        finally:
            await _end(process)
        return bytes(read[:most]), len(read) > most

    async def _start(self, arguments: tuple[str, ...], said: int, told: int = _PIPE) -> asyncio.subprocess.Process:
        environment = process_environment(without="GIT_") | _OWN | dict(self.environment)
        return await asyncio.create_subprocess_exec(
            *_COMMAND, *arguments, cwd=self.folder, env=environment, stdin=said, stdout=_PIPE, stderr=told,
            start_new_session=True,
        )  # fmt: skip


async def _end(process: asyncio.subprocess.Process) -> None:
    """End git with what it has started, if it has not ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
