"""What is really on this machine: agent programs, and the models they have credentials for."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codetether_worker.agents.opencode_environment import data_folder, opencode_environment
from codetether_worker.config import Config
from codetether_worker.errors import ConfigError

log = logging.getLogger(__name__)

_LISTING_LIMIT = 30.0  # seconds; the program's first start on a slow machine
MOST_MODELS = 1000  # what one registration may hold
LONGEST_NAME = 200  # characters
CONFORMANCE = "conformance"
"""The test agent's name, and the agent_type of the tasks that are for it."""
HOSTED_PROVIDER = "opencode"  # OpenCode's own hosted models, listed by it without any credentials
_HOSTED_KEY = "OPENCODE_API_KEY"


@dataclass(frozen=True, slots=True)
class Model:
    """`id` is provider/model, as tasks name it."""

    id: str

    def to_json(self) -> dict[str, str]:
        provider, _, name = self.id.partition("/")
        return {"id": self.id, "name": name, "provider": provider}


@dataclass(frozen=True, slots=True)
class Inventory:
    """`opencode` is the program's path, None when it is not installed; `conformance` whether the test agent is on."""

    opencode: Path | None
    models: tuple[Model, ...]
    conformance: bool = False

    @property
    def capabilities(self) -> tuple[str, ...]:
        found = ("builtin", "opencode") if self.opencode else ("builtin",)
        return (*found, CONFORMANCE) if self.conformance else found

    @property
    def opencode_usable(self) -> bool:
        return self.opencode is not None and bool(self.models)


async def take_inventory(config: Config) -> Inventory:
    """Look for programs and models. Raises ConfigError when OPENCODE_BIN names something that cannot run."""
    if config.conformance:
        log.warning(
            "A2A_CONFORMANCE is on: this worker plays the agent of a test kit and answers by a script. "
            "Never set it where real work is done."
        )
    program = find_opencode(config)
    if program is None:
        log.info("agents found: builtin (no opencode on PATH)")
        return Inventory(None, (), config.conformance)
    models = await list_models(program, config.environment)
    log.info("agents found: builtin, opencode program=%s models=%d", program, len(models))
    return Inventory(program, models, config.conformance)


def find_opencode(config: Config) -> Path | None:
    if config.opencode_bin:
        given = shutil.which(config.opencode_bin, path=config.environment.get("PATH"))
        if given is None:
            raise ConfigError(f"OPENCODE_BIN: {config.opencode_bin} is not a program that can be run")
        return Path(given).absolute()
    found = shutil.which("opencode", path=config.environment.get("PATH", os.defpath))
    return Path(found).absolute() if found else None


async def list_models(program: Path, environment: Mapping[str, str]) -> tuple[Model, ...]:
    """What `opencode models` lists, less the hosted provider when there are no credentials for it.

    OpenCode lists a provider when auth.json, the environment or its configuration says how to call it.
    """
    process = await asyncio.create_subprocess_exec(
        str(program), "models",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=opencode_environment(environment), start_new_session=True,
    )  # fmt: skip
    try:
        stdout, _ = await asyncio.wait_for(process.communicate(), _LISTING_LIMIT)
    except TimeoutError:
        process.kill()
        await process.wait()
        log.warning("opencode models gave no answer in %.0f s; no models are offered", _LISTING_LIMIT)
        return ()
    hosted_allowed = _has_hosted_credentials(environment)
    found = (line.strip() for line in stdout.decode("utf-8", "replace").splitlines())
    named = [line for line in found if _is_model_id(line)]
    usable = [name for name in named if hosted_allowed or name.partition("/")[0] != HOSTED_PROVIDER]
    if len(usable) > MOST_MODELS:
        log.warning("opencode knows %d models; the first %d are offered", len(usable), MOST_MODELS)
    return tuple(Model(name) for name in usable[:MOST_MODELS])


def _is_model_id(line: str) -> bool:
    provider, slash, name = line.partition("/")
    readable = line.isprintable() and " " not in line and len(line) <= LONGEST_NAME
    return bool(provider and slash and name) and readable


def _has_hosted_credentials(environment: Mapping[str, str]) -> bool:
    return bool(environment.get(_HOSTED_KEY)) or HOSTED_PROVIDER in credentials(environment)


def credentials(environment: Mapping[str, str]) -> frozenset[str]:
    """Names of the providers in OpenCode's auth.json; never what it holds for them."""
    try:
        body = json.loads((data_folder(environment) / "auth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(body) if isinstance(body, dict) else frozenset()
