"""Agent programs that a setting describes: any that speaks the Agent Client Protocol, without a line of code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codetether_worker.errors import ConfigError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_TAKEN = frozenset(
    {"builtin", "conformance", "opencode", "claude", "codex", "gemini", "build", "plan", "explore", "general"}
)
_KEYS = frozenset({"command", "modes", "models", "env"})


@dataclass(frozen=True, slots=True)
class AcpAgentSpec:
    """How a program is started. `modes` is its own name for each agent_type, `models` are offered as provider/model."""

    name: str
    command: tuple[str, ...]
    modes: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


def acp_agents(value: Any, origin: str) -> tuple[AcpAgentSpec, ...]:
    """The programs of a JSON object, as an object or as text, by their names.

    Raises ConfigError; `origin` is what the setting is called in it.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ConfigError(f"{origin} is not valid JSON: {error}") from error
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ConfigError(f"{origin} must be an object of programs by their names")
    return tuple(_spec(str(name), body, origin) for name, body in value.items())


def _spec(name: str, body: Any, origin: str) -> AcpAgentSpec:
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise ConfigError(f"{origin}: {name!r} cannot be an agent's name (small letters, digits, - and _; not taken)")
    where = f"{origin}: {name}"
    body = body if isinstance(body, Mapping) else {"command": body}
    unknown = ", ".join(sorted(set(body) - _KEYS))
    if unknown:
        raise ConfigError(f"{where} has no setting {unknown} (it has {', '.join(sorted(_KEYS))})")
    command = _texts(body.get("command"), f"{where}: command")
    if not command:
        raise ConfigError(f"{where}: command must be a list that begins with a program")
    return AcpAgentSpec(
        name, command, _named_texts(body.get("modes"), f"{where}: modes"),
        _texts(body.get("models"), f"{where}: models"), _named_texts(body.get("env"), f"{where}: env"),
    )  # fmt: skip


def _texts(value: Any, where: str) -> tuple[str, ...]:
    items = () if value is None else value
    is_list = isinstance(items, Sequence) and not isinstance(items, str | bytes)
    if not is_list or not all(isinstance(item, str) and item for item in items):
        raise ConfigError(f"{where} must be a list of texts")
    return tuple(items)


def _named_texts(value: Any, where: str) -> Mapping[str, str]:
    items = {} if value is None else value
    if not isinstance(items, Mapping) or not all(isinstance(item, str) for item in items.values()):
        raise ConfigError(f"{where} must be an object of texts")
    return dict(items)
