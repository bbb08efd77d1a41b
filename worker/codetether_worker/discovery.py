"""What is really on this machine: agent programs, and the models they have credentials for."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codetether_sessions.stores import data_folder
from codetether_worker import __version__
from codetether_worker.agents.kinds import kinds_of
from codetether_worker.agents.launch import AgentKind, CliKind, bare_model
from codetether_worker.agents.opencode_environment import opencode_environment
from codetether_worker.config import Config
from codetether_worker.errors import ConfigError
from codetether_worker.versions import version_of

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
class Installed:
    """An agent program on this machine, and the models that it has credentials for; `version` empty where unknown.

    `by_line`: its adapter is missing, so it is run anew for each prompt and nobody can be asked.
    """

    name: str
    program: Path
    models: tuple[Model, ...]
    version: str = ""
    by_line: bool = False

    def offers(self, model: str) -> bool:
        """A model may be named without its provider."""
        return any(model in (known.id, bare_model(known.id)) for known in self.models)


@dataclass(frozen=True, slots=True)
class Inventory:
    """`installed` in the order in which they are taken; `conformance` whether the test agent is on."""

    installed: tuple[Installed, ...] = ()
    conformance: bool = False

    @property
    def capabilities(self) -> tuple[str, ...]:
        found = ("builtin", *(program.name for program in self.installed))
        return (*found, CONFORMANCE) if self.conformance else found

    def programs(self) -> list[dict[str, Any]]:
        """Each program for the server: its name, version, and models by their ids."""
        found = [{"name": "builtin", "version": __version__, "models": []}]
        for one in self.installed:
            models = [model.id for model in one.models[:MOST_MODELS]]
            found.append({"name": one.name, "version": one.version, "models": models})
        return found

    @property
    def models(self) -> tuple[Model, ...]:
        """What this worker can run, whichever program does it."""
        every = dict.fromkeys(model for program in self.installed for model in program.models)
        return tuple(every)[:MOST_MODELS]

    def find(self, name: str) -> Installed | None:
        return next((program for program in self.installed if program.name == name), None)


async def take_inventory(config: Config) -> Inventory:
    """Look for programs and models. Raises ConfigError when a setting names a program that cannot run."""
    if config.conformance:
        log.warning(
            "A2A_CONFORMANCE is on: this worker plays the agent of a test kit and answers by a script. "
            "Never set it where real work is done."
        )
    found = [await _find_opencode(config), *(_find(kind, config) for kind in kinds_of(config))]
    known = await asyncio.gather(*(_with_version(program, config) for program in found if program))
    inventory = Inventory(_preferred(known, config.agent), config.conformance)
    for one in inventory.installed:
        log.info("agent found: %s %s program=%s models=%d", one.name, one.version, one.program, len(one.models))
    log.info("agents found: %s", ", ".join(inventory.capabilities))
    return inventory


async def _with_version(found: Installed, config: Config) -> Installed:
    return replace(found, version=await version_of(found.program, config.environment) or "")


async def _find_opencode(config: Config) -> Installed | None:
    program = _which("opencode", config.programs.opencode, "OPENCODE_BIN", config.environment)
    if program is None:
        return None
    return Installed("opencode", program, await list_models(program, config.environment))


def _find(kind: AgentKind, config: Config) -> Installed | None:
    """The program that speaks the protocol; else the one that is run for each prompt."""
    program = _which(kind.executable, kind.named(config), kind.variable, config.environment)
    alone = _alone(kind.cli, config) if kind.cli else None
    found = program or alone
    if found is None:
        return None
    models = tuple(Model(name) for name in kind.models(config.environment))
    return Installed(kind.name, found, models, by_line=program is None)


def _alone(kind: CliKind, config: Config) -> Path | None:
    """The program itself, with or without its adapter."""
    return _which(kind.executable, kind.named(config), kind.variable, config.environment)


def _preferred(found: Sequence[Installed], first: str | None) -> tuple[Installed, ...]:
    if first is not None and all(program.name != first for program in found):
        names = ", ".join(program.name for program in found) or "none"
        raise ConfigError(f"A2A_WORKER_AGENT: {first} is not an agent program of this machine (found: {names})")
    return tuple(sorted(found, key=lambda program: program.name != first))


def _which(executable: str, named: str | None, variable: str, environment: Mapping[str, str]) -> Path | None:
    """The program that a setting names, else the one on the PATH."""
    found = shutil.which(named or executable, path=environment.get("PATH", os.defpath))
    if found is None and named:
        raise ConfigError(f"{variable}: {named} is not a program that can be run")
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
