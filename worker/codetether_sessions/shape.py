"""The one form into which every store's sessions and messages are read: that of the server's sync.

Values from a store are trusted with nothing: what is not of the expected type is left out, never passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Json = dict[str, Any]
Keep = Callable[[Json], None]
"""Takes one message after another; one of an id that came before replaces it."""

TITLE_LIMIT = 120  # characters
_ID_LIMIT = 200
_LATEST_MS = 253_402_300_799_000  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class Entry:
    """A session of a store as it is listed. `moved` is when it changed last, in seconds since 1970.

    `directory` is None where only reading the session tells it. `project` and `worktree` are the program's own id of
    the project that the session belongs to, and that project's folder, if it knows such things.
    """

    key: str
    moved: float
    directory: str | None = None
    project: str = ""
    worktree: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which session it is, and in which folder (nothing if that is not said)."""

    id: str
    directory: str


@dataclass(slots=True)
class Facts:
    """What a store says of a session besides its messages. Times are ISO 8601; `tokens` as `tokens_of` gives them."""

    id: str
    directory: str = ""
    title: str = ""
    parent_id: str = ""
    agent: str = ""
    model: str = ""
    created_at: str | None = None
    updated_at: str | None = None
    tokens: Json = field(default_factory=dict)
    cost: float | None = None

    def name_after(self, said: str) -> None:
        """Without a title of its own a session is called by the first thing that was asked."""
        if not self.title and said.strip():
            self.title = " ".join(said.split())[:TITLE_LIMIT]

    def saw(self, moment: str | None) -> None:
        """Note the time of something that happened in the session."""
        self.created_at = self.created_at or moment
        self.updated_at = moment or self.updated_at

    def to_json(self, *, message_count: int) -> Json:
        told = {
            "id": self.id, "directory": self.directory, "title": self.title, "parent_id": self.parent_id,
            "agent": self.agent, "model": self.model, "message_count": message_count, "tokens": self.tokens,
            "created_at": self.created_at, "updated_at": self.updated_at or self.created_at,
        }  # fmt: skip
        return told if self.cost is None else {**told, "cost": self.cost}


@dataclass(frozen=True, slots=True)
class Head:
    """A session without what was said in it."""

    facts: Facts
    message_count: int


class Spent:
    """Adds up what messages have used, where a program does not say it of the session. One that comes again replaces
    itself here too."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._used: dict[str, tuple[int, int, int]] = {}

    def keep(self, message: Json) -> None:
        used = table(message.get("tokens"))
        if used:
            cached = whole(table(used.get("cache")).get("read"))
            self._used[message["id"]] = (whole(used.get("input")), whole(used.get("output")), cached)
        self._keep(message)

    def total(self) -> Json:
        """As `tokens_of` gives it; nothing where no message said anything."""
        if not self._used:
            return {}
        given, answered, cached = (sum(column) for column in zip(*self._used.values(), strict=True))
        return tokens_of(given, answered, cached)


def counted(read: Callable[[Keep], Facts | None]) -> Head | None:
    """The head of a session that has to be read wholly to tell it."""
    known: set[str] = set()
    facts = read(lambda message: known.add(message["id"]))
    return None if facts is None else Head(facts, len(known))


def message(
    message_id: str, *, role: str, at: str | None, parts: list[Json], model: str = "", tokens: Json | None = None,
    cost: float | None = None, more: Mapping[str, Any] | None = None,
) -> Json:  # fmt: skip
    """One message; `more` is what else is worth showing of it."""
    told: Json = {"id": message_id, "role": role, "created_at": at, "parts": parts, **(more or {})}
    if model:
        told["model"] = model
    if tokens:
        told["tokens"] = tokens
    return told if cost is None else {**told, "cost": cost}


def spoken(part_id: str, text: str, kind: Literal["text", "reasoning"] = "text") -> Json:
    return {"id": part_id, "type": kind, "text": text}


def tool_call(part_id: str, *, tool: str, call_id: str, given: object) -> Json:
    return {"id": part_id, "type": "tool", "tool": tool, "callID": call_id, "state": {"input": given}}


def tool_result(part_id: str, *, call_id: str, output: object, failed: bool = False) -> Json:
    status = "error" if failed else "completed"
    return {"id": part_id, "type": "tool_result", "callID": call_id, "state": {"status": status, "output": output}}


def tokens_of(given: int, answered: int, cached: int) -> Json:
    return {"input": given, "output": answered, "cache": {"read": cached}}


def table(value: object) -> Json:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Json]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def amount(value: object) -> float | None:
    """A sum of money, if it is one."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def known_id(value: object) -> str:
    """`value` if the server takes it as an id, else nothing."""
    return value if isinstance(value, str) and 0 < len(value) <= _ID_LIMIT else ""


def moment(value: object) -> str | None:
    """ISO 8601 from that, or from milliseconds since 1970; None from anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LATEST_MS:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat()
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat() if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None
