"""The change that a tool call would make, as people read it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST = 20_000  # characters
_MOST_LINES = 5_000  # of one file; comparing more takes long
_CUT = "\n[cut: {dropped} more characters]\n"


def asked_diff(call: Mapping[str, Any]) -> str:
    """Unified diffs of what the call brings along (Agent Client Protocol, "Tool calls", diff content); may be empty."""
    blocks = [b for b in call.get("content") or () if isinstance(b, Mapping) and b.get("type") == "diff"]
    text = "".join(line for block in blocks for line in _unified(block))
    raw = call.get("rawInput")
    if not text and isinstance(raw, Mapping) and isinstance(raw.get("diff"), str):
        text = raw["diff"]
    return text if len(text) <= LONGEST else text[:LONGEST] + _CUT.format(dropped=len(text) - LONGEST)


def _unified(block: Mapping[str, Any]) -> Iterator[str]:
    path = str(block.get("path") or "")
    old, new = str(block.get("oldText") or ""), str(block.get("newText") or "")
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if len(before) > _MOST_LINES or len(after) > _MOST_LINES:
        yield f"--- {path}\n+++ {path}\n[{len(before)} lines become {len(after)}]\n"
        return
    for line in difflib.unified_diff(before, after, path if old else "/dev/null", path):
        yield line if line.endswith("\n") else line + "\n"
