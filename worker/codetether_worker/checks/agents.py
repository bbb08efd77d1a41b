"""The agent programs that are here: version, and whether there are credentials; never what those are."""

from __future__ import annotations

import asyncio
from pathlib import Path

from codetether_worker.agents.launch import inherited_environment
from codetether_worker.checks.findings import Finding, fail, ok, warn
from codetether_worker.checks.machine import user
from codetether_worker.config import Config
from codetether_worker.discovery import Installed, take_inventory
from codetether_worker.errors import ConfigError

_VERSION_LIMIT = 20.0  # seconds; a first start on a slow machine
_NO_PROGRAM = "install one of the programs under Agents in the worker's documentation, such as opencode"


async def check_agents(config: Config) -> list[Finding]:
    try:
        inventory = await take_inventory(config)
    except ConfigError as error:
        return [fail("agents", str(error), "correct the setting, or remove it so that the PATH is searched")]
    if not inventory.installed:
        return [warn("agents", "only the built-in one: no agent program is on the PATH", _NO_PROGRAM)]
    return list(await asyncio.gather(*(_agent(program, config) for program in inventory.installed)))


async def _agent(found: Installed, config: Config) -> Finding:
    area = f"agent {found.name}"
    version = await _version(found.program, config)
    if version is None:
        mend = f"run {found.program} --version as {user()}, and mend what it complains of"
        return fail(area, f"{found.program} does not start", mend)
    if not found.models:
        mend = f"log in with it as {user()}, or set its provider's key for the worker; then start the worker anew"
        return warn(area, f"{version} at {found.program}, without credentials for any model", mend)
    count = len(found.models)
    models = "1 model" if count == 1 else f"{count} models"
    return ok(area, f"{version} at {found.program}, credentials for {models}")


async def _version(program: Path, config: Config) -> str | None:
    """The first line that it prints about its version; None when it fails."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(program), "--version",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=inherited_environment(config.environment), start_new_session=True,
        )  # fmt: skip
    except OSError:
        return None
    try:
        stdout, _ = await asyncio.wait_for(process.communicate(), _VERSION_LIMIT)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    lines = stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[0].strip()[:80] if lines and process.returncode == 0 else None
