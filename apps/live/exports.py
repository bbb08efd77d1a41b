"""All of a workspace as one document, however large: pages are read one at a time, and nothing is kept of them."""

import csv
import io
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from apps.core import jsontext
from apps.core.db import in_database
from apps.sessions.said import Said, messages_after, said_facts
from apps.tasks import log
from apps.tasks.selectors import AfterMade, task_facts, tasks_after

PAGE = 500
Facts = dict[str, Any]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a formula to spreadsheets: an apostrophe before it says that it is none (OWASP, CSV)."""


@dataclass(frozen=True, slots=True)
class Export:
    """What can be exported: its pages (facts, and where the next begins; None: that was all), its columns as CSV."""

    page: Callable[[uuid.UUID, Any], tuple[list[Facts], Any]]
    columns: tuple[str, ...]


def _messages(workspace_id: uuid.UUID, after: Said | None) -> tuple[list[Facts], Said | None]:
    found = messages_after(workspace_id, after, PAGE)
    following = Said(found[-1].created_at, found[-1].pk) if len(found) == PAGE else None
    return [said_facts(entry) for entry in found], following


def _tasks(workspace_id: uuid.UUID, after: AfterMade | None) -> tuple[list[Facts], AfterMade | None]:
    found = tasks_after(workspace_id, after, PAGE)
    following = AfterMade(found[-1].created_at, found[-1].id) if len(found) == PAGE else None
    return [{**task_facts(task), **task.usage} for task in found], following


def _events(workspace_id: uuid.UUID, after: log.Read | None) -> tuple[list[Facts], log.Read | None]:
    found, following = log.read_whole(workspace_id, after or log.BEGINNING, limit=PAGE)
    facts = [
        {"id": str(one.cursor), "task_id": str(one.task_id), "seq": one.seq, "kind": one.kind, "at": one.created_at,
         "title": one.title, "codebase_id": one.codebase_id or None, "data": one.data}
        for one in found
    ]  # fmt: skip
    return facts, following


EXPORTS = {
    "messages": Export(_messages, (
        "id", "conversation_id", "agent_id", "agent_name", "codebase_id", "title", "role", "content", "model",
        "created_at",
    )),
    "tasks": Export(_tasks, (
        "id", "codebase_id", "title", "agent_type", "model", "status", "priority", "attempt", "worker_id", "session_id",
        "created_by", "created_at", "started_at", "completed_at", "error_code", "error", "input_tokens",
        "output_tokens", "cost_usd",
    )),
    "events": Export(_events, ("task_id", "seq", "kind", "at", "title", "codebase_id", "data")),
}  # fmt: skip


async def pages(export: Export, workspace_id: uuid.UUID) -> AsyncGenerator[list[Facts]]:
    """The pages, none of which is empty."""
    place: Any = None
    while True:
        facts, place = await in_database(export.page, workspace_id, place)
        if facts:
            yield facts
        if place is None:
            return


async def as_json(name: str, workspace_id: uuid.UUID) -> AsyncGenerator[bytes]:
    """`{name: [...]}`; an answer that broke off is no JSON."""
    yield jsontext.dumps(name).join((b"{", b":["))
    before = b""
    async for page in pages(EXPORTS[name], workspace_id):
        yield before + b",\n".join(map(jsontext.dumps, page))
        before = b",\n"
    yield b"]}\n"


async def as_csv(name: str, workspace_id: uuid.UUID) -> AsyncGenerator[bytes]:
    """RFC 4180, with the names of the columns in the first line."""
    columns = EXPORTS[name].columns
    yield _lines([columns])
    async for page in pages(EXPORTS[name], workspace_id):
        yield _lines([_cell(facts.get(column)) for column in columns] for facts in page)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return jsontext.dumps(value).decode().strip('"')
