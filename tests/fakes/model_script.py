"""What a scripted model says, and what a request to it comes down to, whichever vendor's API carries them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Step:
    """One answer of the model: some text, then tool calls; or an HTTP error instead.

    `hold` makes the answer stop after its first word until the server is told to go on.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    error: int | None = None
    hold: bool = False


def say(text: str, *, reasoning: str = "", hold: bool = False) -> Step:
    return Step(text=text, reasoning=reasoning, hold=hold)


def call(tool: str, text: str = "", **args: Any) -> Step:
    return Step(text=text, calls=((tool, args),))


def fail(status: int, message: str) -> Step:
    return Step(error=status, text=message)


@dataclass(frozen=True)
class Ask:
    """What a request comes down to: the last thing the user said, and how often the model has answered it.

    `whole`: the answer is one JSON body instead of a stream.
    """

    prompt: str
    turn: int
    offers_tools: bool
    model: str
    conversation: Sequence[Mapping[str, Any]] = field(repr=False)
    whole: bool = False


class Dialect(Protocol):
    """How one vendor's API spells a request, an answer and an error.

    `first_word`: in which line of an answer, counted from 0, its first word has been said.
    """

    first_word: int

    def parse(self, body: Mapping[str, Any], path: str) -> Ask: ...

    def stream(self, ask: Ask, step: Step) -> Iterator[str]:
        """The answer as lines of an event stream; the caller pauses after the first word of a held step."""
        ...

    def error(self, status: int, message: str) -> dict[str, Any]: ...
