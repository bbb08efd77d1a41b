"""The source files of the product and of its tests, parsed once, for the tests of what the code may look like."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("apps", "codetether", "worker/codetether_worker", "worker/codetether_sessions")
EVERYTHING = (*PRODUCT, "tests")


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file; `name` is its path from the root of the repository."""

    name: str
    text: str
    tree: ast.Module

    @property
    def line_count(self) -> int:
        return len(self.text.splitlines())

    def functions(self) -> Iterator[tuple[str, int]]:
        """(name, lines from its `def` to its end) of each function and method, with its decorators left out."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@cache
def sources(folders: tuple[str, ...] = PRODUCT) -> tuple[Source, ...]:
    """All Python files below `folders`, but for migrations, which are generated."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(_source(path) for path in paths if "migrations" not in path.parts)


def _source(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(str(path.relative_to(ROOT)), text, ast.parse(text))
