"""All checks in the order in which a newcomer mends things."""

from __future__ import annotations

import asyncio
import shutil

from codetether_worker.checks.agents import check_agents
from codetether_worker.checks.findings import Finding, fail
from codetether_worker.checks.machine import check_codebases, check_state
from codetether_worker.checks.server import check_server
from codetether_worker.config import Config
from codetether_worker.errors import ConfigError


async def check_all(config: Config) -> list[Finding]:
    git = shutil.which("git", path=config.environment.get("PATH"))
    server = asyncio.to_thread(check_server, config)
    codebases = asyncio.to_thread(check_codebases, config, git=git)
    there, agents, folders = await asyncio.gather(server, check_agents(config), codebases)
    return [*there, *check_state(config), *agents, *folders]


def wrong_setting(error: ConfigError) -> list[Finding]:
    """When the settings cannot be read, nothing else can be looked at."""
    return [fail("settings", str(error), "correct that flag, variable or line of the config file")]
