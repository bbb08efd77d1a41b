"""Gemini CLI (https://geminicli.com), driven by `gemini --acp`."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from codetether_worker.agents.base import Assignment
from codetether_worker.agents.launch import (
    AgentKind,
    Launch,
    Quirks,
    Tokens,
    Update,
    bare_model,
    home_folder,
    inherited_environment,
)

# Its mode `default` asks before it writes; who answers, a person or the codebase's rule, is decided here.
_MODES = {"build": "default", "general": "default", "plan": "plan", "explore": "plan"}
_MODELS = ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite")
_QUIET = {
    "GEMINI_CLI_NO_RELAUNCH": "true",  # one process instead of one that starts another
    "GEMINI_CLI_TRUST_WORKSPACE": "false",  # a repository that is worked on may not configure the program
}
_DEFAULTS_PATH = "GEMINI_CLI_SYSTEM_DEFAULTS_PATH"
_SYSTEM_DEFAULTS = Path("/etc/gemini-cli/system-defaults.json")
_KEY_IN_FILE = re.compile(r"^\s*(?:export\s+)?(?:GEMINI|GOOGLE)_API_KEY\s*=\s*\S", re.MULTILINE)


def _settings_folder(environment: Mapping[str, str]) -> Path:
    home = environment.get("GEMINI_CLI_HOME")
    return (Path(home) if home else home_folder(environment)) / ".gemini"


def _login(environment: Mapping[str, str]) -> str | None:
    """The way to log in that there are credentials for, as Gemini CLI calls it."""
    if environment.get("GOOGLE_GENAI_USE_VERTEXAI") == "true":
        return "vertex-ai"
    folder = _settings_folder(environment)
    if environment.get("GEMINI_API_KEY") or _KEY_IN_FILE.search(_content(folder / ".env")):
        return "gemini-api-key"
    return "oauth-personal" if (folder / "oauth_creds.json").is_file() else None


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def gemini_models(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Those that its own menu offers to everyone, and GEMINI_MODEL."""
    if _login(environment) is None:
        return ()
    chosen = environment.get("GEMINI_MODEL")
    names = dict.fromkeys((*((chosen,) if chosen else ()), *_MODELS))
    return tuple(f"google/{name}" for name in names)


def launch_gemini(program: Path, base: Mapping[str, str], assignment: Assignment) -> Launch:
    environment = _QUIET | inherited_environment(base)
    if _DEFAULTS_PATH not in environment and not _SYSTEM_DEFAULTS.exists():
        environment[_DEFAULTS_PATH] = str(_write_defaults(assignment, environment))
    chosen = ("--model", bare_model(assignment.model)) if assignment.model else ()
    mode = _MODES.get(assignment.agent_type, assignment.agent_type or None)
    return Launch("gemini", (str(program), "--acp", *chosen), environment, mode, quirks=_QUIRKS)


def _write_defaults(assignment: Assignment, environment: Mapping[str, str]) -> Path:
    """Settings that count where neither the user nor the machine says otherwise; their own files stay as they are.

    Resuming a session asks for the way to log in, also where a key in the environment makes it plain.
    """
    login = _login(environment)
    settings: dict[str, Any] = {
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "privacy": {"usageStatisticsEnabled": False},
        "security": {"auth": {"selectedType": login} if login else {}},
    }
    if assignment.max_steps:
        settings["model"] = {"maxSessionTurns": assignment.max_steps}
    path = assignment.scratch / "gemini-defaults.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return path


def _resume_delay(environment: Mapping[str, str], session_id: str) -> float:
    """Resuming opens a file that is named by the minute and the session, and begins it anew where it exists.

    So a session would be lost that is resumed in the minute in which it began (seen in 0.61.0).
    """
    now = datetime.now(UTC)
    begun = any(_chats(environment, f"{now:%Y-%m-%dT%H-%M}", session_id))
    return 60.5 - now.second - now.microsecond / 1e6 if begun else 0.0


def _remove_empty_twins(environment: Mapping[str, str], session_id: str) -> None:
    """Beside the session's file, resuming leaves one that bears its name and in which nothing was said.

    For that one's sake the clean-up at the next start would delete both (0.61.0).
    """
    said = {path: _holds_messages(path) for path in _chats(environment, "*", session_id)}
    for path, is_kept in said.items():
        if any(said.values()) and not is_kept:
            path.unlink(missing_ok=True)


def _holds_messages(path: Path) -> bool:
    """Whether anything was said in the session; its metadata are records without a type. True where it is unknown."""
    try:
        return any("type" in json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line)
    except (OSError, ValueError, TypeError):
        return True


def _chats(environment: Mapping[str, str], minute: str, session_id: str) -> Iterator[Path]:
    """The files of a session that began in that minute (a pattern), in whichever project."""
    name = f"session-{minute}-{glob.escape(session_id[:8])}.json"
    return (_settings_folder(environment) / "tmp").glob(f"*/chats/{name}*")


def _normalised(update: Update) -> Update:
    """Its call ids begin with the tool's name, and its arguments are only in titles and locations."""
    tool, separator, _ = str(update.get("toolCallId") or "").partition("__")
    if not separator:
        return update
    return {"toolName": tool, "rawInput": _arguments(update), **update}


def _arguments(update: Update) -> dict[str, str]:
    if update.get("kind") == "execute":
        return {"command": str(update.get("title") or "")}
    paths = [str(place.get("path")) for place in update.get("locations") or () if isinstance(place, Mapping)]
    return {"path": paths[0]} if paths else {}


def _tokens(meta: Mapping[str, Any]) -> Tokens | None:
    quota = meta.get("quota")
    count = quota.get("token_count") if isinstance(quota, Mapping) else None
    if not isinstance(count, Mapping):
        return None
    return Tokens(input=int(count.get("input_tokens") or 0), output=int(count.get("output_tokens") or 0))


_QUIRKS = Quirks(
    normalised=_normalised, tokens=_tokens, replay_silence=0.5, resume_delay=_resume_delay, tidy=_remove_empty_twins
)
GEMINI = AgentKind(
    "gemini", "gemini", "GEMINI_BIN", lambda config: config.programs.gemini, gemini_models, launch_gemini
)
