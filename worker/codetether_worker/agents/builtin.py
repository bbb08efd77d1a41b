"""The agent that needs no model: exact arithmetic, a description of a codebase, and an honest answer else."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Mapping
from typing import Any

from codetether_worker import events, lease
from codetether_worker.agents.arithmetic import CannotCalculate, calculate, find_expression
from codetether_worker.agents.base import Answer, Assignment, SimpleSession, Turn
from codetether_worker.agents.survey import describe_codebase

_CODEBASE_WORDS = re.compile(r"\b(code\s*base|repo(?:sitory)?|project|source(?:\s+tree)?|code)\b", re.IGNORECASE)
_DESCRIBE_WORDS = re.compile(
    r"\b(analy[sz]e|analysis|describe|description|summari[sz]e|summary|overview|explain|inspect|survey|explore"
    r"|languages?|structure|layout|todos?|tell\s+me\s+about|what(?:'s|\s+is)\s+in)\b",
    re.IGNORECASE,
)

HELP = """\
No AI model is connected to this worker, so this was answered by its built-in agent. It can:
- calculate exactly, for example "Calculate 25 * 4" or "what is 2/3 + 1/6";
- describe a codebase, for example "Analyze this codebase".

To have tasks like this one done by a real coding agent, on the machine where this worker runs:
1. install OpenCode (npm install -g opencode-ai) so that `opencode` is on the PATH;
2. give it a model: run `opencode auth login`, or set a key such as ANTHROPIC_API_KEY or OPENAI_API_KEY;
3. restart the worker: it finds both by itself and then runs tasks with OpenCode."""

NO_CODEBASE = "There is no codebase to describe: start the worker with --codebase PATH, or name a codebase_id."


class BuiltinSession(SimpleSession):
    """Answers each prompt at once; keeps no session."""

    awaits_person = False

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._stop = threading.Event()
        self.last_activity = lease.now()

    async def start(self) -> str | None:
        return None

    async def prompt(self, text: str) -> Turn:
        self.last_activity = lease.now()
        answer = await asyncio.to_thread(self._answer, text)
        if self._stop.is_set():
            return Turn("cancelled", "")
        self._assignment.emit(events.output("text", answer))
        return Turn("end_turn", answer)

    def _answer(self, text: str) -> str:
        expression = find_expression(text)
        if expression is not None:
            try:
                return calculate(expression)
            except CannotCalculate as error:
                return str(error)
        if not (_CODEBASE_WORDS.search(text) and _DESCRIBE_WORDS.search(text)):
            return HELP
        if not self._assignment.has_codebase:
            return NO_CODEBASE
        return describe_codebase(self._assignment.workdir, stop=self._stop)

    async def cancel(self) -> None:
        self._stop.set()

    def answer(self, text: str, data: Mapping[str, Any]) -> Answer:
        return Answer.UNASKED

    async def close(self) -> None:
        self._stop.set()
