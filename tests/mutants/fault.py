"""What a planted fault is: small edits of the product, and the tests that should notice."""

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """`old` stands exactly once in `file` (a path from the repository's root) and becomes `new`."""

    file: str
    old: str
    new: str

    def made_in(self, text: str) -> str:
        """The file's text with the edit; ValueError when the code has changed under it."""
        found = text.count(self.old)
        if found != 1:
            raise ValueError(f"{self.file}: the text to change stands there {found} times, not once:\n{self.old}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """`story`: what a careless author would have thought. `tests`: pytest's names of the files or tests to run."""

    name: str
    story: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    @property
    def files(self) -> list[str]:
        return sorted({edit.file for edit in self.edits})

    def plant(self, root: Path) -> None:
        """Make the edits below `root`, which is a copy. What comes out must still be Python."""
        for edit in self.edits:
            path = root / edit.file
            text = edit.made_in(path.read_text(encoding="utf-8"))
            ast.parse(text, edit.file)
            path.write_text(text, encoding="utf-8")


def module_of(file: str) -> str:
    """The name under which a product's file is imported."""
    return file.removeprefix("worker/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
