"""The paragraphs of a transcript as the console shows them, whether of a task's log or of an agent's session."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from apps.core.markdown import rendered

TEXT_LIMIT = 50_000
"""Characters of one block that a page shows; what can be downloaded has the rest."""
DIFF_LINES = 1_000


@dataclass(slots=True)
class Block:
    """One paragraph. `kind` picks its look, `tone` its colour, `open` whether more may join it.

    `seq` is the place of what it tells first, `last` that of the last thing that joined it.
    """

    kind: str
    seq: int
    at: datetime
    title: str = ""
    text: str = ""
    by: str = ""
    tone: str = ""
    open: bool = False
    folded: str = ""
    call_id: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    options: list[dict[str, Any]] = field(default_factory=list)
    last: int = 0

    def __post_init__(self) -> None:
        self.last = self.last or self.seq

    @property
    def html(self) -> SafeString:
        """The text as what markdown makes of it."""
        return rendered(self.shown)

    @property
    def shown(self) -> str:
        return self.text[:TEXT_LIMIT]

    @property
    def left_out(self) -> int:
        return max(0, len(self.text) - TEXT_LIMIT)

    @property
    def folded_shown(self) -> str:
        return self.folded[:TEXT_LIMIT]


def diff_lines(diff: str) -> list[tuple[str, str]]:
    """(tone, line) of a unified diff, DIFF_LINES at most and then how many were left out."""
    lines = diff.splitlines()
    shown = [(_diff_tone(line), line) for line in lines[:DIFF_LINES]]
    left_out = len(lines) - len(shown)
    return [*shown, ("note", f"… {left_out} more lines")] if left_out else shown


def _diff_tone(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "note"
    return {"+": "added", "-": "removed", "@": "note"}.get(line[:1], "same")
