"""The table that the bench prints: what was measured, ours, the reference of the same run, their ratio, the aim."""

from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True)
class Line:
    """`ratio` is ours by the reference's; `aim` says in words what it should be."""

    what: str
    ours: float
    unit: str
    reference: float | None = None
    reference_is: str = ""
    aim: str = ""

    def cells(self) -> tuple[str, ...]:
        compared = self.reference is not None and self.reference != 0
        return (
            self.what,
            f"{_short(self.ours)} {self.unit}",
            f"{_short(self.reference or 0)} {self.unit} ({self.reference_is})" if compared else "",
            f"{self.ours / (self.reference or 1):.2f}" if compared else "",
            self.aim,
        )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


HEADINGS = ("what", "ours", "reference, same run", "ratio", "aim")


@dataclass
class Table:
    """Collects lines, telling each as it comes; `write` prints them all, aligned, and the notes."""

    progress: TextIO
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *lines: Line) -> None:
        for line in lines:
            self.lines.append(line)
            self.progress.write(f"  {line.what}: {line.cells()[1]}\n")
            self.progress.flush()

    def note(self, text: str) -> None:
        """What is printed below the lines."""
        self.notes.append(text)

    def write(self, out: TextIO) -> None:
        rows = [HEADINGS, *(line.cells() for line in self.lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        for row in rows:
            out.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
        for note in self.notes:
            out.write(f"\n{note}\n")
