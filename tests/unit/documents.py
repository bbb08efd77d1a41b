"""The tables of the documentation, for the tests that hold them against the code."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

Row = dict[str, str]


def rows(page: str, *columns: str) -> list[Row]:
    """The rows of all tables of a page (a glob below docs/) whose header begins with `columns`."""
    found = [row for path in sorted(DOCS.glob(page)) for row in _rows(path) if tuple(row)[: len(columns)] == columns]
    assert found, f"docs/{page} has no table with the columns {columns}"
    return found


def _rows(path: Path) -> Iterator[Row]:
    header: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            header = []
        elif not header:
            header = _cells(line)
        elif not set(line) <= set("|-: "):
            yield dict(zip(header, _cells(line), strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def marked(cell: str) -> list[str]:
    """What stands between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def names(page: str, *columns: str) -> list[str]:
    """What is marked in the first column of such tables."""
    return [name for row in rows(page, *columns) for name in marked(row[columns[0]])]
