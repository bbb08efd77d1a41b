"""Codex (https://developers.openai.com/codex), driven through its adapter `codex-acp`.

The adapter is npm's @agentclientprotocol/codex-acp, which brings a Codex of its own along.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codetether_worker.agents.base import Assignment
from codetether_worker.agents.cli_lines import read_codex
from codetether_worker.agents.launch import (
    AgentKind,
    CliKind,
    CliLaunch,
    Launch,
    Quirks,
    Update,
    bare_model,
    home_folder,
    inherited_environment,
)

_READ_ONLY = "read-only"
_MODELS = ("gpt-6.1-sol", "gpt-6-astra", "gpt-6-sol", "gpt-6-luna", "gpt-6.1-terra", "gpt-5.6-sol", "gpt-5.6-terra",
           "gpt-5.6-luna", "gpt-5.5")  # fmt: skip
_KEYS = ("CODEX_API_KEY", "OPENAI_API_KEY")
_CONFIG = "CODEX_CONFIG"
_OPENAI = "https://api.openai.com/v1"
_PROVIDER = "codetether"
_TOOLS = {"execute": "shell", "edit": "apply_patch"}


def _folder(environment: Mapping[str, str]) -> Path:
    named = environment.get("CODEX_HOME")
    return Path(named) if named else home_folder(environment) / ".codex"


def _settings(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """The user's own config.toml; empty where there is none that can be read."""
    try:
        return tomllib.loads((_folder(environment) / "config.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _key(environment: Mapping[str, str]) -> str | None:
    """The variable that holds a key of OpenAI's, unless a login or a provider of the user's own comes first."""
    if (_folder(environment) / "auth.json").is_file() or _settings(environment).get("model_provider"):
        return None
    return next((name for name in _KEYS if environment.get(name)), None)


def codex_models(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The one of the user's config.toml, and those that its own menu offers."""
    settings = _settings(environment)
    own = settings.get("model")
    known = (_folder(environment) / "auth.json").is_file() or _key(environment) is not None
    if not known and not settings.get("model_provider"):
        return ()
    names = (*((own,) if isinstance(own, str) and own else ()), *(_MODELS if known else ()))
    return tuple(f"openai/{name}" for name in dict.fromkeys(names))


def provider_by_key(environment: Mapping[str, str]) -> dict[str, Any]:
    """Codex's settings for a key in the environment: logging in with it would write it to the user's disk."""
    variable = _key(environment)
    if variable is None:
        return {}
    address = environment.get("OPENAI_BASE_URL") or _OPENAI
    provider = {"name": "OpenAI", "base_url": address, "env_key": variable, "wire_api": "responses"}
    return {"model_provider": _PROVIDER, "model_providers": {_PROVIDER: provider}}


def launch_codex(program: Path, base: Mapping[str, str], assignment: Assignment) -> Launch:
    environment = inherited_environment(base)
    added = provider_by_key(environment)
    if added and _CONFIG not in environment:
        environment[_CONFIG] = json.dumps(added)
    chosen = bare_model(assignment.model) if assignment.model else None
    return Launch("codex", (str(program),), environment, _mode(assignment), chosen, quirks=_QUIRKS)


def _mode(assignment: Assignment) -> str | None:
    """Both ask for what their sandbox does not let pass; the mode `agent` would have a model answer in our place."""
    if assignment.reads_only:
        return _READ_ONLY
    if assignment.agent_type in ("build", "general"):
        return "workspace-write" if assignment.auto_approves and not assignment.denied else _READ_ONLY
    return assignment.agent_type or None


def _normalised(update: Update) -> Update:
    """It names its tools by what they do, and sends what a command prints apart from the call."""
    tool = _TOOLS.get(str(update.get("kind")))
    named = {**update, "toolName": tool} if tool else update
    meta = update.get("_meta")
    printed = meta.get("terminal_output_delta") if isinstance(meta, Mapping) else None
    text = printed.get("data") if isinstance(printed, Mapping) else None
    return {**named, "toolOutput": text} if isinstance(text, str) else named


def _broke(update: Update) -> bool:
    """An error of the provider ends the turn as if all were well, but for the thread's state."""
    meta = update.get("_meta")
    codex = meta.get("codex") if isinstance(meta, Mapping) else None
    status = codex.get("threadStatus") if isinstance(codex, Mapping) else None
    return isinstance(status, Mapping) and status.get("type") == "systemError"


def launch_codex_cli(program: Path, base: Mapping[str, str], assignment: Assignment) -> CliLaunch:
    """`codex exec`, which asks nobody: what its sandbox does not let pass fails, and the model is told so."""
    environment = inherited_environment(base)
    sandbox = _READ_ONLY if assignment.reads_only else "workspace-write"
    flags = ["exec", "--json", "--skip-git-repo-check", "--sandbox", sandbox, "--cd", str(assignment.workdir)]
    flags += ["--model", bare_model(assignment.model)] if assignment.model else []
    for variable, value in _flattened(provider_by_key(environment)):
        flags += ["-c", f"{variable}={json.dumps(value)}"]

    def command(session_id: str | None, forks: bool) -> tuple[str, ...]:
        earlier = ("fork" if forks else "resume", session_id) if session_id else ()
        return (str(program), *flags, *earlier, "-")

    return CliLaunch("codex", command, environment, read_codex)


def _flattened(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


_QUIRKS = Quirks(normalised=_normalised, broke=_broke)
CODEX = AgentKind(
    "codex", "codex-acp", "CODEX_ACP_BIN", lambda config: config.programs.codex_acp, codex_models, launch_codex,
    CliKind("codex", "CODEX_BIN", lambda config: config.programs.codex, "CODEX_PATH", launch_codex_cli),
)  # fmt: skip
