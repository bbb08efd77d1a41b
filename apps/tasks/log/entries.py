"""What a reader of the log gets, and the places in it that a reader can be at."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

TERMINAL_KINDS = frozenset({"completed", "failed", "cancelled", "rejected"})
LIMIT = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class LogEvent:
    """One line of a log. What follows `created_at` belongs to its task as that is now; empty where there is none."""

    task_id: uuid.UUID
    seq: int
    position: int
    kind: str
    data: dict[str, Any]
    created_at: datetime
    codebase_id: str = ""
    session_id: str = ""
    worker_id: str = ""
    agent_type: str = ""
    title: str = ""

    @property
    def cursor(self) -> "Cursor":
        return Cursor(self.position, str(self.task_id), self.seq)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the workspace-wide order; its text is the SSE event id `position.task.seq`, or `position`."""

    position: int
    task: str = ""
    seq: int = 0

    def __str__(self) -> str:
        return f"{self.position}.{self.task}.{self.seq}" if self.task else str(self.position)

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """The cursor in a `Last-Event-ID`, or None where it is anything else."""
        position, *rest = text.split(".")
        task, seq = rest if len(rest) == 2 else ("", "0")
        if len(rest) not in (0, 2) or not (_is_number(position) and _is_number(seq)):
            return None
        try:
            return cls(int(position), str(uuid.UUID(task)) if rest else "", int(seq))
        except ValueError:
            return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < LIMIT
