"""A block of a transcript as markdown, for a file."""

import re

from apps.core.blocks import Block

CODE = frozenset({"stdout", "stderr"})


def block_text(block: Block) -> str:
    """With an empty line at its end."""
    body = _body(block)
    who = f" ({block.by})" if block.by else ""
    title = f"**{block.title}**{who}" if block.title else ("_Reasoning_" if block.kind == "reasoning" else "")
    return "\n\n".join(piece for piece in (title, body) if piece) + "\n\n"


def _body(block: Block) -> str:
    if block.kind == "tool":
        return "\n\n".join(_fenced(text) for text in (block.folded, block.text) if text)
    if block.lines:
        diff = _fenced("\n".join(line for _, line in block.lines), "diff")
        return f"{block.text}\n\n{diff}" if block.text else diff
    return _fenced(block.text) if block.kind in CODE else block.text


def _fenced(text: str, language: str = "") -> str:
    """As a code block, within a fence that the text cannot close."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"
