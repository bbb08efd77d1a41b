"""A task's whole log as a file: JSON lines as the log has it, or markdown as a person reads it."""

import re
import uuid
from collections.abc import Iterator

from apps.core import jsontext
from apps.tasks import log
from apps.tasks.admin.parts import number_of, part
from apps.tasks.admin.transcript import Block
from apps.tasks.models import Task

CODE = frozenset({"stdout", "stderr"})


def as_json_lines(task: Task) -> Iterator[bytes]:
    """One event a line: seq, kind, data, when."""
    after = 0
    while events := log.read(task.pk, after):
        lines = [
            jsontext.dumps({"seq": one.seq, "kind": one.kind, "at": one.created_at, "data": one.data}) for one in events
        ]
        yield b"\n".join(lines) + b"\n"
        after = events[-1].seq


def as_markdown(task: Task) -> Iterator[bytes]:
    """The transcript, with the result at its end."""
    yield f"# {task.title}\n\n`{task.pk}` · {task.state}\n\n".encode()
    for number in range(number_of(task.last_seq) + 1):
        yield "".join(_block(block) for block in _blocks(task.pk, number)).encode()
    if task.result:
        yield f"## Result\n\n{task.result}\n".encode()


def _blocks(task_id: uuid.UUID, number: int) -> list[Block]:
    return part(task_id, number).blocks


def _block(block: Block) -> str:
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
