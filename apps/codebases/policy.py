"""How agents work in a codebase, in words for people; absent settings are as workers take them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """One line: `text`, or where it is a list its `entries`."""

    name: str
    text: str = ""
    entries: Sequence[str] = ()


def policy_of(config: Mapping[str, Any]) -> list[Setting]:
    """What an `agent_config` says, each setting once; limits only where they are set."""
    in_trees = config.get("working_tree") == "worktree"
    at_once = "several at once" if config.get("parallel") else "one at a time"
    return [
        Setting("Agent program", config.get("program") or "the worker’s choice"),
        Setting("Model", config.get("default_model") or "the program’s own"),
        Setting("Approval", "none is asked for" if config.get("auto_approve", True) else "asks before it acts"),
        Setting("Working tree", "a git worktree for each task" if in_trees else f"its own folder, {at_once}"),
        Setting("Begins in", config.get("working_directory") or "its root"),
        Setting("Iterations", f"{config.get('max_iterations', 10)} at most"),
        *_limits(config),
        Setting("Allowed without asking", "nothing in particular", config.get("allow") or ()),
        Setting("Never allowed", "nothing in particular", config.get("deny") or ()),
        Setting("Models to fall back on", "none", config.get("fallback_models") or ()),
    ]


def _limits(config: Mapping[str, Any]) -> list[Setting]:
    """Of one attempt."""
    limits = (
        ("Time", "max_minutes", "{:g} minutes an attempt"),
        ("Cost", "max_cost_usd", "${:g} an attempt"),
        ("Tokens", "max_tokens", "{:,} an attempt"),
    )
    found = [Setting(name, form.format(config[key])) for name, key, form in limits if config.get(key)]
    return found or [Setting("Limits", "the worker’s own")]
