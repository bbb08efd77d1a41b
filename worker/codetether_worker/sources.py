"""Where a setting's value comes from: a flag, a variable, the file, or its default."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codetether_worker.errors import ConfigError
from codetether_worker.options import DEFAULT_FILE, OPTIONS

_SWITCHES = {"none": False, "false": False, "0": False, "no": False, "true": True, "1": True, "yes": True}


@dataclass(frozen=True, slots=True)
class Source:
    """One setting from the first place that has it. Raises ConfigError, which says where a wrong value stands."""

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

    def amount(self, key: str) -> float:
        """A number, zero included."""
        value, origin = self.find(key)
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or number < 0:
            raise ConfigError(f"{origin} must be a number, zero or more, not {value!r}")
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


def read_file(named: str | None) -> dict[str, Any]:
    """The settings of a JSON file, by default those of the machine. Raises ConfigError."""
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


def read_env_file(named: str | None) -> dict[str, str]:
    """Variables from a file as systemd's EnvironmentFile has them: NAME=VALUE lines, comments, quoted values.

    Raises ConfigError.
    """
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
