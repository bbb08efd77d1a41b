"""The worker's settings: flags, then environment, then file, then defaults. Nothing else reads them.

Which there are, and how they are called, is in `options`; where their values come from, in `sources`.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codetether_worker.acp_agents import AcpAgentSpec, acp_agents
from codetether_worker.errors import ConfigError
from codetether_worker.limits import DefaultLimits
from codetether_worker.sessions.limits import SessionLimits
from codetether_worker.sources import Source, read_env_file, read_file

_WORKER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class CodebaseSpec:
    """A folder on this machine that tasks may be run in. `path` is absolute with symlinks resolved."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class ProgramPaths:
    """Agent programs, by name or path, where the PATH is not to be searched; `_acp` are the adapters."""

    opencode: str | None = None
    gemini: str | None = None
    claude: str | None = None
    claude_acp: str | None = None
    codex: str | None = None
    codex_acp: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, checked. All times are in seconds."""

    server_url: str
    name: str
    token: str | None = field(repr=False)
    worker_id: str | None
    codebases: tuple[CodebaseSpec, ...]
    agent_name: str | None
    agent_description: str
    registers_agent: bool
    concurrency: int
    state_dir: Path
    poll_interval: float
    drain_grace: float
    limits: DefaultLimits
    stop_grace: float
    sessions: SessionLimits
    programs: ProgramPaths
    acp_agents: tuple[AcpAgentSpec, ...]
    agent: str | None
    conformance: bool
    log_level: str
    environment: Mapping[str, str] = field(repr=False)


def load_config(
    flags: argparse.Namespace, environment: Mapping[str, str] | None = None, *, missing_allowed: bool = False
) -> Config:
    """Settings from parsed flags and the environment (the process's own when None).

    Raises ConfigError with one line that names the setting and what is wrong with it. `missing_allowed` lets
    codebases pass that are no folders.
    """
    own = dict(os.environ if environment is None else environment)  # noqa: TID251 (this is the one reader)
    env = read_env_file(flags.env_file) | own
    source = Source(vars(flags), env, read_file(flags.config))
    server_url = _server_url(source.line("server_url"))
    name = source.text("name") or socket.gethostname() or "worker"
    return Config(
        server_url=server_url,
        name=name,
        token=_token(source),
        worker_id=_worker_id(source.text("worker_id")),
        codebases=_codebases(source, missing_allowed),
        agent_name=source.text("agent_name"),
        agent_description=source.text("agent_description") or "",
        registers_agent=not source.switch("no_agent_registration"),
        concurrency=source.whole("concurrency", least=1, most=64),
        state_dir=_state_dir(source, name, server_url),
        poll_interval=source.seconds("poll_interval"),
        drain_grace=source.seconds("drain_grace", zero_allowed=True),
        limits=_limits(source),
        stop_grace=source.seconds("stop_grace"),
        sessions=_session_limits(source),
        programs=ProgramPaths(**{known.name: source.text(f"{known.name}_bin") for known in fields(ProgramPaths)}),
        acp_agents=acp_agents(*source.find("acp_agents")),
        agent=source.text("agent"),
        conformance=source.switch("conformance"),
        log_level=_level(source.line("log_level")),
        environment=env,
    )


def process_environment(*, without: str) -> dict[str, str]:
    """This process's environment for a child program, less the variables that begin with `without`."""
    return {key: value for key, value in os.environ.items() if not key.startswith(without)}  # noqa: TID251


def _server_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"--server-url must look like http://host:8000, not {value!r}")
    if parts.username or parts.password:
        raise ConfigError("--server-url must not hold a user name or password; give the token by A2A_TOKEN")
    return value.rstrip("/")


def _worker_id(value: str | None) -> str | None:
    if value is not None and not _WORKER_ID.fullmatch(value):
        raise ConfigError(f"--worker-id may hold letters, digits and ._:- (up to 128), not {value!r}")
    return value


def _level(value: str) -> str:
    if value.upper() not in _LEVELS:
        raise ConfigError(f"A2A_LOG_LEVEL must be one of {', '.join(_LEVELS)}, not {value!r}")
    return value.upper()


def _token(source: Source) -> str | None:
    """A2A_TOKEN, else the content of the token file. Never a flag: other users can read argv."""
    direct = source.env.get("A2A_TOKEN", "").strip()
    named, origin = source.find("token_file")
    token = direct
    if not direct and named is not None:
        try:
            token = Path(str(named)).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{origin}: {named} cannot be read") from error
        if not token:
            raise ConfigError(f"{origin}: {named} is empty")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError("the token may hold only visible ASCII characters")
    return token or None


def _limits(source: Source) -> DefaultLimits:
    return DefaultLimits(
        idle=source.seconds("idle_limit"),
        question=source.seconds("question_limit", zero_allowed=True),
        output=source.whole("output_limit", least=1, most=100_000),
        minutes=source.amount("max_minutes"),
        cost_usd=source.amount("max_cost_usd"),
        tokens=source.amount("max_tokens"),
    )


def _session_limits(source: Source) -> SessionLimits:
    storage = source.text("opencode_storage")
    return SessionLimits(
        interval=source.seconds("session_sync_interval", zero_allowed=True),
        sessions=source.whole("session_sync_max_sessions", least=1, most=1_000_000),
        messages=source.whole("session_sync_max_messages", least=1, most=1_000_000),
        opencode_storage=Path(storage).expanduser().absolute() if storage else None,
    )


def _codebases(source: Source, missing_allowed: bool) -> tuple[CodebaseSpec, ...]:
    """--codebases and --codebase together; one entry for each folder, in the order given."""
    many, many_origin = source.find("codebases")
    single, single_origin = source.find("codebase")
    wanted = [(item, many_origin) for item in _listed(many, many_origin)]
    wanted += [(item, single_origin) for item in _listed(single, single_origin)]
    found: dict[Path, CodebaseSpec] = {}
    for item, origin in wanted:
        spec = _codebase(item, origin)
        if not missing_allowed and not spec.path.is_dir():
            raise ConfigError(f"{origin}: {spec.path} is not a folder on this machine")
        found.setdefault(spec.path, spec)
    return tuple(found.values())


def _listed(value: Any, origin: str) -> list[Any]:
    if isinstance(value, str | None):
        return [part.strip() for part in (value or "").split(",") if part.strip()]
    if isinstance(value, Sequence):
        return list(value)
    raise ConfigError(f"{origin} must be a list of folders")


def _codebase(item: Any, origin: str) -> CodebaseSpec:
    """`PATH`, `name:PATH`, or {"name", "path"} from a config file."""
    if isinstance(item, Mapping):
        name, path = str(item.get("name") or ""), str(item.get("path") or "")
    else:
        head, colon, tail = str(item).partition(":")
        named = bool(colon) and "/" not in head and not Path(str(item)).exists()
        name, path = (head, tail) if named else ("", str(item))
    if not path:
        raise ConfigError(f"{origin}: {item} names no folder")
    folder = Path(path).expanduser().resolve()
    return CodebaseSpec(name=name or folder.name or str(folder), path=folder)


def _state_dir(source: Source, name: str, server_url: str) -> Path:
    """The given folder, else one for each worker name and server under the user's state folder."""
    given = source.text("state_dir")
    if given:
        return Path(given).expanduser().absolute()
    base = source.env.get("STATE_DIRECTORY") or source.env.get("XDG_STATE_HOME")
    root = Path(base) if base else Path(source.env.get("HOME") or "~").expanduser() / ".local" / "state"
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{name}@{urlsplit(server_url).netloc}").strip("-.") or "worker"
    return root / "codetether-worker" / slug
