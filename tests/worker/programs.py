"""The real agent programs, each with what a scripted model has to call so that it does the same as the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import claude_program, codex_program, gemini_program, opencode_program
from tests.fakes.model_script import Step, call, fail, say

_PATCH = "*** Begin Patch\n*** Update File: README.md\n@@\n-# shop\n+# store\n*** End Patch\n"
REASON = "the owner wants a store"
_PAUSE = "sleep 0.3"  # Codex does not tell of a command that is over at once


@dataclass(frozen=True)
class Program:
    """One program: how it is had, and what its tools are called.

    `environment` takes the home folder and the root of the model's server. `edit` renames the shop in README.md;
    `shell` makes the call that runs a command. `tools` is how the two are named in events. `leave` are calls that try
    to write although only reading is allowed. `settings` is the user's own file in the home folder. `goes_on` is false
    where a refusal ends the turn, `reasons` where it does not tell what the model thinks, `forks` where it cannot
    fork a session.
    """

    name: str
    model_id: str
    environment: Callable[[Path, str], dict[str, str]]
    edit: tuple[Step, ...]
    shell: Callable[[str], tuple[str, Mapping[str, Any]]]
    tools: tuple[str, str]
    leave: tuple[Step, ...]
    usage: Mapping[str, float]
    settings: str
    asks: Callable[[str], tuple[str, Mapping[str, Any]]] | None = None
    goes_on: bool = True
    reasons: bool = False
    forks: bool = True
    refused_key: str = "API key not valid"

    @property
    def script(self) -> dict[str, tuple[Step, ...]]:
        asking = (self.asks or self.shell)("touch allowed.txt")
        return {
            "RENAME": (
                *self.edit,
                _called(self.shell(f"touch log.txt && {_PAUSE}")),
                say("It is a store now.", reasoning=REASON),
            ),
            "WHAT": (say("I renamed the shop."),),
            "SLEEP": (_called(self.shell("setsid sleep 987 & sleep 986")), say("never said")),
            "TALK": (say("one two three four", hold=True),),
            "DENIED": (fail(401, "API key not valid"),),
            "ASK": (_called(asking), say("finished asking")),
            "LEAVE": (*self.leave, say("I could not.")),
        }


def _called(made: tuple[str, Mapping[str, Any]]) -> Step:
    return Step(calls=(made,))


def _opencode_shell(command: str) -> tuple[str, dict[str, Any]]:
    return "bash", {"command": command, "description": "run it"}


def _claude_shell(command: str) -> tuple[str, dict[str, Any]]:
    return "Bash", {"command": command, "description": "run it"}


def _codex_shell(command: str) -> tuple[str, dict[str, Any]]:
    return "exec_command", {"cmd": command, "yield_time_ms": 30_000}


def _codex_asks(command: str) -> tuple[str, dict[str, Any]]:
    tool, args = _codex_shell(command)
    return tool, {**args, "sandbox_permissions": "require_escalated", "justification": "it has to be written"}


def _gemini_shell(command: str) -> tuple[str, dict[str, Any]]:
    return "run_shell_command", {"command": command, "description": "run it"}


OPENCODE = Program(
    name="opencode",
    model_id=opencode_program.MODEL_ID,
    environment=lambda home, url: opencode_program.opencode_environment(home, f"{url}/v1"),
    edit=(call("edit", "Renaming it.", filePath="README.md", oldString="# shop", newString="# store"),),
    shell=_opencode_shell,
    tools=("edit", "bash"),
    leave=(
        call("edit", filePath="README.md", oldString="# shop", newString="# store"),
        call("bash", command="touch written.txt", description="touch"),
    ),
    usage={"input_tokens": 300, "output_tokens": 60, "cached_input_tokens": 30},
    settings=".config/opencode/opencode.json",
    reasons=True,
)
CLAUDE = Program(
    name="claude",
    model_id=claude_program.MODEL_ID,
    environment=claude_program.claude_environment,
    edit=(
        call("Read", file_path="README.md"),  # it refuses to change what it has not read
        call("Edit", "Renaming it.", file_path="README.md", old_string="# shop", new_string="# store"),
    ),
    shell=_claude_shell,
    tools=("Edit", "Bash"),
    leave=(
        call("ExitPlanMode", plan="rename it"),
        call("Bash", command="touch written.txt", description="touch"),
        call("Write", file_path="written.txt", content="x"),
    ),
    usage={"input_tokens": 400, "output_tokens": 80, "cached_input_tokens": 40},
    settings=".claude/settings.json",
)
CODEX = Program(
    name="codex",
    model_id=codex_program.MODEL_ID,
    environment=codex_program.codex_environment,
    edit=(call("apply_patch", "Renaming it.", input=_PATCH),),
    shell=_codex_shell,
    tools=("apply_patch", "shell"),
    leave=(Step(calls=(_codex_shell("touch written.txt"),)), call("apply_patch", input=_PATCH)),
    usage={"input_tokens": 300, "output_tokens": 60, "cached_input_tokens": 30},
    settings=".codex/config.toml",
    asks=_codex_asks,
    goes_on=False,
    refused_key="Authentication required",
)
GEMINI = Program(
    name="gemini",
    model_id=gemini_program.MODEL_ID,
    environment=gemini_program.gemini_environment,
    edit=(
        call("replace", "Renaming it.", file_path="README.md", old_string="# shop", new_string="# store",
             instruction="rename the shop"),
    ),
    shell=_gemini_shell,
    tools=("replace", "run_shell_command"),
    leave=(
        call("exit_plan_mode", plan_filename="plan.md"),
        call("run_shell_command", command="touch written.txt", description="touch"),
        call("write_file", file_path="written.txt", content="x"),
    ),
    usage={"input_tokens": 330, "output_tokens": 60},
    settings=".gemini/settings.json",
    reasons=True,
    forks=False,
)  # fmt: skip
_EVERY = (OPENCODE, GEMINI, CLAUDE, CODEX)
_LARGE = frozenset({"claude", "codex"})  # hundreds of megabytes each, so only `make test-agents` installs them


def every_program(*, slow: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Runs a test with each program; `slow` names those that have to wait for a clock in it."""
    params = []
    for program in _EVERY:
        marks = [pytest.mark.opencode if program is OPENCODE else pytest.mark.agents]
        marks += [pytest.mark.minutes] if program.name in (*slow, *_LARGE) else []
        params.append(pytest.param(program, marks=marks, id=program.name))
    return pytest.mark.parametrize("ada", params, indirect=True, scope="module")
