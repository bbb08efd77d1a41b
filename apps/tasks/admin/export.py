"""A task's whole log as a file: JSON lines as the log has it, or markdown as a person reads it."""

import uuid
from collections.abc import Iterator

from apps.core import jsontext
from apps.core.block_text import block_text
from apps.core.blocks import Block
from apps.tasks import log
from apps.tasks.admin.parts import number_of, part
from apps.tasks.models import Task


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
        yield "".join(block_text(block) for block in _blocks(task.pk, number)).encode()
    if task.result:
        yield f"## Result\n\n{task.result}\n".encode()


def _blocks(task_id: uuid.UUID, number: int) -> list[Block]:
    return part(task_id, number).blocks
