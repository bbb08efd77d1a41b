"""The built-in agent's arithmetic: exact, bounded, and never fooled into running code."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_worker.agents.arithmetic import CannotCalculate, calculate, find_expression


def answer(text: str) -> str:
    expression = find_expression(text)
    assert expression is not None, text
    return calculate(expression)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Calculate 25 * 4", "100"),
        ("what is 2/3 + 1/6", "5/6 (about 0.833333333333)"),
        ("What's 0.1 + 0.2?", "0.3"),
        ("please compute (1 + 2) * -3", "-9"),
        ("2 ^ 10 =", "1024"),
        ("12 x 12", "144"),
        ("7 divided by 2", "3.5"),
        ("10 minus 3 times 2", "4"),
        ("1,000 * 3", "3000"),
        ("15% of 80", "12"),
        ("50% + 1", "1.5"),
        ("17 % 5", "2"),
        ("17 // 5", "3"),
        ("1e3 - 1", "999"),
        ("How much is 6 × 7", "42"),
        ("1/3 - 1/3", "0"),
        ("2 ** -2", "0.25"),
        ("Calculate: 3 − 5", "-2"),
        ("007 + 0.50", "7.5"),
    ],
)
def test_what_it_answers(text: str, value: str) -> None:
    assert answer(text) == value


@pytest.mark.parametrize("text", ["1 / 0", "5 % (2 - 2)", "0 ** -1", "1 // 0"])
def test_division_by_zero_is_explained(text: str) -> None:
    with pytest.raises(CannotCalculate, match="Division by zero has no result"):
        answer(text)


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9",
        "2 ** 100000",
        "10 ** 513",
        "1e999 + 1",
        "2 ** 0.5",
        "(9**500)**9 + 1",
        "((1 + 2)",
        "1.2.3 + 4",
    ],
)
def test_what_is_too_much_or_not_an_expression_is_said(text: str) -> None:
    with pytest.raises(CannotCalculate):
        answer(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello", "42", "", "Fix bug 12", "__import__('os').system('id')", "what is the time", "2024-01-31 release?x",
        "1+1; import os", "a + b", "print(1+1)", "lambda: 1+1", "1 if 2 else 3", "1 +" + " 1 +" * 400,
    ],
)  # fmt: skip
def test_everything_else_is_not_arithmetic(text: str) -> None:
    assert find_expression(text) is None


def test_nesting_is_bounded_by_the_parser() -> None:
    assert calculate("(" * 100 + "1+1" + ")" * 100) == "2"
    with pytest.raises(CannotCalculate):
        calculate("(" * 300 + "1+1" + ")" * 300)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_whole_numbers_are_exact(a: int, b: int) -> None:
    assert answer(f"{a} * ({b}) + 0") == str(a * b)


@given(st.text(alphabet="0123456789.+-*/%()eE_ ^", max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    expression = find_expression(text)
    with suppress(CannotCalculate):
        assert expression is None or calculate(expression)
