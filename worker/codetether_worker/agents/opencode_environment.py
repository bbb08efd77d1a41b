"""The environment that OpenCode is started with."""

from __future__ import annotations

import json
from collections.abc import Mapping

from codetether_worker.agents.launch import inherited_environment

# Nothing may change or phone home in the middle of a task, and a repository that is worked on may not
# configure the program that works on it. Whoever wants otherwise sets the variable for the worker.
_QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_SHARE": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
}
_CONFIG = "OPENCODE_CONFIG_CONTENT"
_PERMISSION = "OPENCODE_PERMISSION"
_READ_ONLY = '{"edit":"deny","bash":"deny"}'
_ASK_FIRST = '{"edit":"ask","bash":"ask","webfetch":"ask"}'
_ASK_ALWAYS = '{"*":"ask","todowrite":"allow","todoread":"allow","task":"allow"}'


def opencode_environment(
    base: Mapping[str, str], *, asks_first: bool = False, asks_always: bool = False, reads_only: bool = False,
    max_steps: int | None = None,
) -> dict[str, str]:  # fmt: skip
    """`base` without the worker's secrets, with quiet defaults; HOME, XDG_* and OPENCODE_* pass through.

    `asks_first` makes OpenCode ask before edits and commands, unless OPENCODE_PERMISSION is set already.
    `asks_always` makes it ask before everything, whatever is set, for where the answer is a rule's.
    `reads_only` denies both outright, whatever is set: its plan mode alone would still run commands.
    `max_steps` is how many model calls a turn may take; OpenCode tells the model when they are used up.
    """
    inherited = inherited_environment(base)
    asking = {_PERMISSION: _ASK_FIRST} if asks_first else {}
    always = {_PERMISSION: _ASK_ALWAYS} if asks_always else {}
    denying = {_PERMISSION: _merged(always.get(_PERMISSION, "{}"), _READ_ONLY)} if reads_only else {}
    limits = _limits(inherited.get(_CONFIG, ""), max_steps) if max_steps else {}
    return _QUIET | asking | inherited | always | limits | denying


def _merged(first: str, second: str) -> str:
    """Of what both say, the second counts."""
    return json.dumps({**json.loads(first), **json.loads(second)})


def _limits(given: str, max_steps: int) -> dict[str, str]:
    """OPENCODE_CONFIG_CONTENT with the limit added to what the user has put there."""
    try:
        config = json.loads(given or "{}")
    except ValueError:
        return {}  # not plain JSON: OpenCode may still understand it, so it stays as it is
    agents = config.setdefault("agent", {}) if isinstance(config, dict) else {}
    for mode in ("build", "plan"):
        agents.setdefault(mode, {}).setdefault("steps", max_steps)
    return {_CONFIG: json.dumps(config)}
