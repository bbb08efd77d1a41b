"""How an agent program that speaks the Agent Client Protocol is started, and where it strays from the protocol."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codetether_worker.agents.base import Assignment
from codetether_worker.config import Config

Update = Mapping[str, Any]
# The worker's own settings, above all its token, are none of the agent's business.
_PRIVATE_PREFIXES = ("A2A_", "CODETETHER_WORKER_")


def inherited_environment(base: Mapping[str, str]) -> dict[str, str]:
    """What of the worker's environment an agent program gets: everything but the worker's own settings."""
    return {key: value for key, value in base.items() if not key.startswith(_PRIVATE_PREFIXES)}


def home_folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home())


def home_trouble(environment: Mapping[str, str]) -> str | None:
    """What keeps programs from writing to their home folder, in words; None where nothing does."""
    home = home_folder(environment)
    return None if os.access(home, os.W_OK | os.X_OK) else f"HOME ({home}) cannot be written by the worker's user"


def bare_model(model: str) -> str:
    """The name of a model without its provider."""
    return model.partition("/")[2] or model


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one turn has used."""

    input: int
    output: int
    cached: int = 0


def _as_it_is(update: Update) -> Update:
    return update


def _at_once(_: Mapping[str, str], __: str) -> float:
    return 0.0


def _leave(_: Mapping[str, str], __: str) -> None:
    return None


def _nothing(_: Mapping[str, Any]) -> None:
    return None


def _never(_: Update) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Quirks:
    """What a program does in its own way; each default is the protocol's.

    `normalised` completes an update or the tool call of a permission request; it may add `toolName`, the name by
    which the program itself calls the tool, and `toolOutput`, a piece of what it printed. `tokens` reads what a turn
    has used from the answer's `_meta`. `replay_silence` is for how many seconds a program that goes on replaying a
    session after it said that it was loaded has to be silent before it counts as loaded. `resume_delay` says how many
    seconds to wait before the session of that id may be resumed, given the environment, and `tidy` is called with the
    same once it is. `broke` knows the update by
    which the program says that the turn has failed, although it will end like any other. `counts_cost_anew`: the cost
    that it tells is that of its process, not of the whole session.
    """

    normalised: Callable[[Update], Update] = _as_it_is
    tokens: Callable[[Mapping[str, Any]], Tokens | None] = _nothing
    replay_silence: float = 0.0
    resume_delay: Callable[[Mapping[str, str], str], float] = _at_once
    tidy: Callable[[Mapping[str, str], str], None] = _leave
    broke: Callable[[Update], bool] = _never
    counts_cost_anew: bool = False


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a program. `mode` is the session mode to ask for, if the program has it.

    `model` is what to choose among the session's own options; None where the command line says it already. `meta` is
    what the program wants to know beyond the protocol when a session begins.
    """

    program: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    mode: str | None
    model: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    quirks: Quirks = field(default_factory=Quirks)


@dataclass(frozen=True, slots=True)
class CliLaunch:
    """How to run a program for one prompt, which it reads from its standard input.

    `command` takes the session to go on with and whether to fork it. `read` takes a line that the program has printed,
    and what its lines have told so far, which it completes.
    """

    program: str
    command: Callable[[str | None, bool], tuple[str, ...]]
    environment: Mapping[str, str]
    read: Callable[[Mapping[str, Any], Any], Iterator[Update]]


@dataclass(frozen=True, slots=True)
class CliKind:
    """The program behind an adapter, which does without where the adapter is missing.

    `handed_as` is the variable by which the adapter is told to run this one in place of its own.
    """

    executable: str
    variable: str
    named: Callable[[Config], str | None]
    handed_as: str
    launch: Callable[[Path, Mapping[str, str], Assignment], CliLaunch]


@dataclass(frozen=True, slots=True)
class AgentKind:
    """An agent program that a worker knows how to drive, whether this machine has it or not.

    `executable` is looked for on the PATH unless `named`, set by `variable`, is another program. `models` are what
    the environment and the files it leads to have credentials for, as provider/model; none without credentials.
    `cli` is what is run for each prompt where the executable, an adapter, is missing.
    """

    name: str
    executable: str
    variable: str
    named: Callable[[Config], str | None]
    models: Callable[[Mapping[str, str]], tuple[str, ...]]
    launch: Callable[[Path, Mapping[str, str], Assignment], Launch]
    cli: CliKind | None = None
