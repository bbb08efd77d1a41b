"""Exact arithmetic on text that a stranger wrote: parsed, never evaluated, and bounded in size."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from codetether_worker.errors import WorkerError

_MAX_LENGTH = 400
_MAX_BITS = 4096
_MAX_EXPONENT = 512
_MAX_DIGITS = 60

_LEAD_IN = re.compile(
    r"^(?:please\s+|can\s+you\s+|could\s+you\s+)*"
    r"(?:calculate|compute|evaluate|solve|work\s+out|what(?:'s|\s+is|\s+are)|how\s+much\s+is)?\s*:?\s*",
    re.IGNORECASE,
)
_WORDS = (
    (re.compile(r"\bdivided\s+by\b|÷|∕", re.IGNORECASE), "/"),
    (re.compile(r"\bmultiplied\s+by\b|\btimes\b|[×·∙⋅]", re.IGNORECASE), "*"),
    (re.compile(r"\bto\s+the\s+power\s+of\b|\^", re.IGNORECASE), "**"),
    (re.compile(r"\bplus\b", re.IGNORECASE), "+"),
    (re.compile(r"\bminus\b|[−–]", re.IGNORECASE), "-"),
    (re.compile(r"\bmod(?:ulo)?\b", re.IGNORECASE), "%"),
    (re.compile(r"(?<=\d)\s*x\s*(?=[\d(])", re.IGNORECASE), "*"),
    (re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))"), ""),
    (re.compile(r"(?<![\w.])0+(?=\d)"), ""),  # Python refuses leading zeros, people write them
    (re.compile(r"(?<=\d)\s*%\s+of\s+", re.IGNORECASE), "/100*"),
    (re.compile(r"(?<=\d)\s*%(?=\s*(?:$|[-+*/)]))"), "/100"),
)
_EXPRESSION = re.compile(r"[\d\s.+\-*/%()eE_]+")
_HAS_OPERATION = re.compile(r"[\d)]\s*(?:\*\*|//|[-+*/%])\s*[\d(.+-]")


class CannotCalculate(WorkerError):
    """It is arithmetic, but there is no answer; the text explains why."""


def find_expression(text: str) -> str | None:
    """The arithmetic that the text asks for, as an expression; None when it asks for something else."""
    if len(text) > _MAX_LENGTH:
        return None
    rest = _LEAD_IN.sub("", text.strip(), count=1).strip().rstrip("?=. !").strip()
    for pattern, sign in _WORDS:
        rest = pattern.sub(sign, rest)
    if not _EXPRESSION.fullmatch(rest) or not _HAS_OPERATION.search(rest):
        return None
    return rest


def calculate(expression: str) -> str:
    """The exact value as text. Raises CannotCalculate with a sentence for people."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        value = _value(tree.body, expression)
    except ZeroDivisionError as error:
        raise CannotCalculate("Division by zero has no result.") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CannotCalculate(f"{expression.strip()!r} is not an expression I can read.") from error
    return render(value)


def render(value: Fraction) -> str:
    """A whole number, a finite decimal, or a fraction in lowest terms with its rounded decimal."""
    if value.denominator == 1:
        return _digits(value.numerator)
    finite = _finite_decimal(value)
    if finite is not None:
        return finite
    rounded = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{_digits(value.numerator)}/{_digits(value.denominator)} (about {rounded:.12g})"


def _digits(number: int) -> str:
    if number.bit_length() > _MAX_BITS:
        raise CannotCalculate("The result is too large to write out.")
    return str(number)


def _finite_decimal(value: Fraction) -> str | None:
    """The exact decimal if there is a short one (the denominator has only the factors 2 and 5)."""
    places, scaled = 0, value
    while scaled.denominator != 1 and places < _MAX_DIGITS:
        scaled *= 10
        places += 1
    if scaled.denominator != 1:
        return None
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


_BINARY: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Mod: operator.mod,
}


def _value(node: ast.expr, source: str) -> Fraction:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return _number(ast.get_source_segment(source.strip(), node) or "")
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, source)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, source)
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            return _power(_value(left, source), _value(right, source))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)](_value(left, source), _value(right, source)))
    raise ValueError(ast.dump(node))


def _number(literal: str) -> Fraction:
    """The literal as written: 0.1 is one tenth, not the nearest float. Exponents are bounded."""
    digits, _, exponent = literal.replace("_", "").lower().partition("e")
    power = int(exponent or "0")
    if abs(power) > _MAX_EXPONENT:
        raise CannotCalculate(f"Exponents beyond {_MAX_EXPONENT} are more than I calculate.")
    return _bounded(Fraction(digits) * Fraction(10) ** power)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise CannotCalculate("Roots and fractional powers are not exact, so I leave them alone.")
    power = exponent.numerator
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(power) > _MAX_EXPONENT or size * abs(power) > _MAX_BITS:
        raise CannotCalculate("That power is more than I calculate.")
    return Fraction(base**power)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise CannotCalculate("The numbers in between get too large.")
    return value
