"""Which version of an agent program is here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from codetether_worker.agents.launch import inherited_environment

_LIMIT = 20.0  # seconds; a first start on a slow machine
_IN_PASSING = 5.0  # seconds that a worker's start may be held up; a program that knows no --version may just run
_LONGEST = 80  # characters
_PACKAGES = "node_modules"


async def version_of(program: Path, environment: Mapping[str, str]) -> str | None:
    """As its npm package says, which starts nothing; else as the program itself says; None where neither does."""
    return await asyncio.to_thread(packaged_version, program) or await told_version(
        program, environment, limit=_IN_PASSING
    )


def packaged_version(program: Path) -> str | None:
    """The version of the npm package that the program is a part of; None where it is of none."""
    parts = program.resolve().parts
    if _PACKAGES not in parts:
        return None
    first = len(parts) - parts[::-1].index(_PACKAGES)
    depth = 2 if parts[first : first + 1] and parts[first].startswith("@") else 1
    try:
        package = json.loads(Path(*parts[: first + depth], "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    version = package.get("version") if isinstance(package, dict) else None
    return version[:_LONGEST] if isinstance(version, str) and version else None


async def told_version(program: Path, environment: Mapping[str, str], *, limit: float = _LIMIT) -> str | None:
    """The first line that it prints about its version; None when it fails, or takes longer than `limit` seconds."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(program), "--version",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=inherited_environment(environment), start_new_session=True,
        )  # fmt: skip
    except OSError:
        return None
    try:
        stdout, _ = await asyncio.wait_for(process.communicate(), limit)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    lines = stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[0].strip()[:_LONGEST] if lines and process.returncode == 0 else None
