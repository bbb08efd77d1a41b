"""The worker's settings: flags, then environment, then file, then defaults. Nothing else reads them.

Which there are, and how they are called, is in `options`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codetether_worker.errors import ConfigError
from codetether_worker.options import DEFAULT_FILE, OPTIONS
from codetether_worker.sessions.limits import SessionLimits

_WORKER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_SWITCHES = {"none": False, "false": False, "0": False, "no": False, "true": True, "1": True, "yes": True}
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class CodebaseSpec:
    """A folder on this machine that tasks may be run in. `path` is absolute with symlinks resolved."""

    name: str
    path: Path


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
    idle_limit: float
    stop_grace: float
    sessions: SessionLimits
    opencode_bin: str | None
    gemini_bin: str | None
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
    env = _read_env_file(flags.env_file) | own
    source = _Source(vars(flags), env, _read_file(flags.config))
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
        idle_limit=source.seconds("idle_limit"),
        stop_grace=source.seconds("stop_grace"),
        sessions=_session_limits(source),
        opencode_bin=source.text("opencode_bin"),
        gemini_bin=source.text("gemini_bin"),
        agent=source.text("agent"),
        conformance=source.switch("conformance"),
        log_level=_level(source.line("log_level")),
        environment=env,
    )


def process_environment(*, without: str) -> dict[str, str]:
    """This process's environment for a child program, less the variables that begin with `without`."""
    return {key: value for key, value in os.environ.items() if not key.startswith(without)}  # noqa: TID251


@dataclass(frozen=True, slots=True)
class _Source:
    """One setting from the first place that has it."""

    flags: Mapping[str, Any]
    env: Mapping[str, str]
    file: Mapping[str, Any]

    def find(self, key: str) -> tuple[Any, str]:
        """The raw value and how to call it in an error message; (None, "") when nobody set it."""
        option = OPTIONS[key]
        if self.flags.get(key) not in (None, [], False):
            return self.flags[key], option.flag
        if self.env.get(option.variable, "").strip():
            return self.env[option.variable].strip(), option.variable
        for file_key in option.keys:
            if self.file.get(file_key) is not None:
                return self.file[file_key], f'"{file_key}" in the config file'
        return option.default, option.flag

    def text(self, key: str) -> str | None:
        value, origin = self.find(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise ConfigError(f"{origin} must be a line of text")
        return value.strip()

    def line(self, key: str) -> str:
        """A text that has a default."""
        return self.text(key) or str(OPTIONS[key].default)

    def switch(self, key: str) -> bool:
        value, origin = self.find(key)
        if str(value).lower() not in _SWITCHES:
            raise ConfigError(f"{origin} must be true or false, not {value!r}")
        return _SWITCHES[str(value).lower()]

    def whole(self, key: str, *, least: int, most: int) -> int:
        value, origin = self.find(key)
        try:
            number = int(str(value))
        except ValueError:
            number = least - 1
        if not least <= number <= most or isinstance(value, bool):
            raise ConfigError(f"{origin} must be a whole number from {least} to {most}, not {value!r}")
        return number

    def seconds(self, key: str, *, zero_allowed: bool = False) -> float:
        value, origin = self.find(key)
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or number < 0 or (number == 0 and not zero_allowed):
            raise ConfigError(f"{origin} must be a number of seconds above zero, not {value!r}")
        return number


def _read_file(named: str | None) -> dict[str, Any]:
    path = Path(named) if named else DEFAULT_FILE
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if named is None:
            return {}
        raise ConfigError(f"--config: {path} does not exist") from error
    except OSError as error:
        raise ConfigError(f"the config file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"the config file {path} is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise ConfigError(f"the config file {path} must hold a JSON object")
    return body


def _read_env_file(named: str | None) -> dict[str, str]:
    """Variables from a file as systemd's EnvironmentFile has them: NAME=VALUE lines, comments, quoted values."""
    if named is None:
        return {}
    try:
        lines = Path(named).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--env-file: {named} cannot be read") from error
    found = {}
    for line in map(str.strip, lines):
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" else value


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


def _token(source: _Source) -> str | None:
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


def _session_limits(source: _Source) -> SessionLimits:
    storage = source.text("opencode_storage")
    return SessionLimits(
        interval=source.seconds("session_sync_interval", zero_allowed=True),
        sessions=source.whole("session_sync_max_sessions", least=1, most=1_000_000),
        messages=source.whole("session_sync_max_messages", least=1, most=1_000_000),
        opencode_storage=Path(storage).expanduser().absolute() if storage else None,
    )


def _codebases(source: _Source, missing_allowed: bool) -> tuple[CodebaseSpec, ...]:
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


def _state_dir(source: _Source, name: str, server_url: str) -> Path:
    """The given folder, else one for each worker name and server under the user's state folder."""
    given = source.text("state_dir")
    if given:
        return Path(given).expanduser().absolute()
    base = source.env.get("STATE_DIRECTORY") or source.env.get("XDG_STATE_HOME")
    root = Path(base) if base else Path(source.env.get("HOME") or "~").expanduser() / ".local" / "state"
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{name}@{urlsplit(server_url).netloc}").strip("-.") or "worker"
    return root / "codetether-worker" / slug
