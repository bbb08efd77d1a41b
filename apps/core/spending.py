"""What agents have used, in words."""

from typing import Any


def spending(usage: dict[str, Any]) -> str:
    """Cost and tokens in words: `$0.12 · 3.4k in · 512 out`; empty where nothing is known."""
    parts = [f"${usage['cost_usd']:.2f}"] if usage.get("cost_usd") else []
    for name, word in (("input_tokens", "in"), ("output_tokens", "out")):
        if usage.get(name):
            parts.append(f"{_short(usage[name])} {word}")
    return " · ".join(parts)


def _short(number: int) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return str(number)
