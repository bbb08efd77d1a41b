"""Short functions, short files. What is over the soft budget stands in an allow-list that can only shrink."""

import tomllib
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sources import EVERYTHING, sources

FUNCTION_SOFT, FUNCTION_HARD = 40, 60
FILE_SOFT, FILE_HARD = 300, 500
ALLOWED: dict[str, dict[str, int]] = tomllib.loads(Path(__file__).with_name("oversize.toml").read_text())

Lengths = Callable[[], dict[str, int]]


@cache
def function_lengths() -> dict[str, int]:
    """The longest function of each name in each file, as `path::name`."""
    lengths: dict[str, int] = defaultdict(int)
    for source in sources(EVERYTHING):
        for name, lines in source.functions():
            key = f"{source.name}::{name}"
            lengths[key] = max(lengths[key], lines)
    return lengths


def file_lengths() -> dict[str, int]:
    return {source.name: source.line_count for source in sources(EVERYTHING)}


BUDGETS = pytest.mark.parametrize(
    ("lengths", "allowed", "soft", "hard"),
    [
        pytest.param(function_lengths, ALLOWED["functions"], FUNCTION_SOFT, FUNCTION_HARD, id="functions"),
        pytest.param(file_lengths, ALLOWED["files"], FILE_SOFT, FILE_HARD, id="files"),
    ],
)


@BUDGETS
def test_nothing_new_is_over_the_soft_budget(lengths: Lengths, allowed: dict[str, int], soft: int, hard: int) -> None:
    over = {name: lines for name, lines in lengths().items() if lines > allowed.get(name, soft)}
    assert not over, f"longer than {soft} lines (or than its allowance in oversize.toml): divide it"


@BUDGETS
def test_nothing_is_over_the_hard_budget(lengths: Lengths, allowed: dict[str, int], soft: int, hard: int) -> None:
    assert not {name: lines for name, lines in lengths().items() if lines > hard}


@BUDGETS
def test_the_allow_list_only_shrinks(lengths: Lengths, allowed: dict[str, int], soft: int, hard: int) -> None:
    present = lengths()
    better = {name: present.get(name, 0) for name, lines in allowed.items() if present.get(name, 0) < lines}
    assert not better, "these have improved: lower their figure in oversize.toml, or remove them at the soft budget"
    assert all(lines > soft for lines in allowed.values())
