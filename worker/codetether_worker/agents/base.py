"""What the worker asks of an agent program, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Protocol

from codetether_worker.answers import PriorAnswer
from codetether_worker.events import Event
from codetether_worker.protocol import is_fork


class Answer(Enum):
    """What became of a person's answer."""

    UNASKED = "unasked"
    SETTLED = "settled"
    REFUSED_WITH_TEXT = "refused_with_text"  # the refusal is settled; its text is a message to the agent


# Ways of working in which an agent may look at everything and change nothing.
_READING = frozenset({"plan", "explore"})

StopReason = Literal["end_turn", "cancelled", "failed", "rejected"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt as an agent sees it.

    `workdir` exists and is absolute; `has_codebase` is false when it is only a place to work in. `max_steps`
    bounds the model calls of a turn, where the program can. `mark` is the name of the environment variable that
    every process of this attempt must carry. `emit` reports an event; it never blocks. `metadata` are the task's own.
    `allowed` and `denied` are permission rules; `answer` is a person's, to a question of an earlier attempt.
    `environment` is what the program gets on top of the worker's own.
    """

    task_id: str
    workdir: Path
    agent_type: str
    model: str | None
    session_id: str | None
    auto_approves: bool
    max_steps: int | None
    has_codebase: bool
    mark: str
    scratch: Path
    emit: Callable[[Event], None] = field(repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    answer: PriorAnswer | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def reads_only(self) -> bool:
        return self.agent_type in _READING

    def going_on_with(self, session_id: str) -> Assignment:
        """The same with a session of this attempt, which is not forked once more."""
        kept = {name: value for name, value in self.metadata.items() if name != "fork"}
        return replace(self, session_id=session_id, metadata=kept)

    @property
    def forks(self) -> bool:
        """Whether to begin a new session with what is in the session, which stays as it is."""
        return is_fork(self.session_id, self.metadata)


@dataclass(frozen=True, slots=True)
class Turn:
    """How one prompt was answered. Only `end_turn` is a success; `error` says why it failed or was rejected.

    `direct`: the text is a plain answer, as to a greeting, and no piece of work.
    """

    stop_reason: StopReason
    text: str
    error: str | None = None
    error_code: str | None = None
    retry: bool = False
    direct: bool = False


class AgentSession(Protocol):
    """A conversation with an agent program, driven by one task of the worker.

    `last_activity` is the reading of lease.now() at the program's latest sign of life; `awaits_person` is
    true while a question to a person is open, and silence is then no fault.
    """

    @property
    def last_activity(self) -> float: ...

    @property
    def awaits_person(self) -> bool: ...

    async def start(self) -> str | None:
        """Start the program and its session; returns the session id to resume by, None if it keeps none.

        Raises AgentError.
        """

    async def prompt(self, text: str) -> Turn:
        """Hand over one message and wait for the end of the turn. A failed turn is returned, not raised."""

    async def cancel(self) -> None:
        """Ask the program to stop the current turn; prompt() then returns soon."""

    def answer(self, text: str, data: Mapping[str, Any]) -> Answer:
        """Answer the open question, if there is one."""

    @property
    def refused(self) -> Sequence[str]:
        """What the agent wanted to do and a rule of the codebase has refused."""

    @property
    def trouble(self) -> str | None:
        """What the program has last complained of and not got over, such as a provider that does not answer."""

    def usage(self) -> Mapping[str, Any]:
        """Tokens and cost of this attempt so far; empty when unknown."""

    async def measure(self) -> Mapping[str, Any]:
        """The same, read afresh in the middle of a turn where that is cheap."""

    async def close(self) -> None:
        """End the program and every process it started. Safe to call at any time, also twice."""


class SimpleSession:
    """What a session is like that asks for nothing, complains of nothing and costs nothing."""

    refused: Sequence[str] = ()
    trouble: str | None = None

    def usage(self) -> Mapping[str, Any]:
        return {}

    async def measure(self) -> Mapping[str, Any]:
        return self.usage()


class AgentProgram(Protocol):
    """An agent program that is present on this machine."""

    name: str

    def open(self, assignment: Assignment) -> AgentSession: ...
