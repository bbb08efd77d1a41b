"""The agent programs that are here: version, and whether there are credentials; never what those are."""

from __future__ import annotations

import asyncio

from codetether_worker.checks.findings import Finding, fail, ok, warn
from codetether_worker.checks.machine import user
from codetether_worker.config import Config
from codetether_worker.discovery import Installed, take_inventory
from codetether_worker.errors import ConfigError
from codetether_worker.versions import told_version

_NO_PROGRAM = "install one of the programs under Agents in the worker's documentation, such as opencode"


async def check_agents(config: Config) -> list[Finding]:
    try:
        inventory = await take_inventory(config)
    except ConfigError as error:
        return [fail("agents", str(error), "correct the setting, or remove it so that the PATH is searched")]
    if not inventory.installed:
        return [warn("agents", "only the built-in one: no agent program is on the PATH", _NO_PROGRAM)]
    return list(await asyncio.gather(*(_agent(program, config) for program in inventory.installed)))


def _configured(area: str, found: Installed, version: str | None) -> Finding:
    """Nothing is known of a program that a setting describes, not even whether it tells its version."""
    text = f"{version} at {found.program}" if version else f"{found.program}, which tells no version"
    models = "the models of its setting" if found.models else "tasks that name it"
    return ok(area, f"{text}, for {models}")


async def _agent(found: Installed, config: Config) -> Finding:
    area = f"agent {found.name}"
    version = await told_version(found.program, config.environment)
    if any(spec.name == found.name for spec in config.acp_agents):
        return _configured(area, found, version)
    if version is None:
        mend = f"run {found.program} --version as {user()}, and mend what it complains of"
        return fail(area, f"{found.program} does not start", mend)
    if not found.models:
        mend = f"log in with it as {user()}, or set its provider's key for the worker; then start the worker anew"
        return warn(area, f"{version} at {found.program}, without credentials for any model", mend)
    if found.by_line:
        text = f"{version} at {found.program}, without its adapter: it can ask nobody, and codebases that want to be"
        return warn(
            area, f"{text} asked first are refused", "install the adapter that the worker's documentation names"
        )
    count = len(found.models)
    models = "1 model" if count == 1 else f"{count} models"
    return ok(area, f"{version} at {found.program}, credentials for {models}")
