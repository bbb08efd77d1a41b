"""Sessions on their way into PostgreSQL: over REST, and all the way from OpenCode's database by the worker's sync."""

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg

from codetether_sessions import opencode_sqlite
from codetether_sessions.redaction import Redactor
from codetether_sessions.stores import Store
from codetether_worker.client import ControlPlane
from codetether_worker.sessions.limits import SessionLimits
from codetether_worker.sessions.sync import SessionSync
from tests.bench.stage import TOKEN, Stage
from tests.bench.table import Line
from tests.fakes.session_stores import MADE, OPENCODE_TABLES, add_message

BATCH = 500
WORDS = "The till is open because nobody has mended its lock since the last inventory. " * 3
STATE = {"status": "completed", "input": {"filePath": "till.py"}, "output": WORDS}

TABLES = """
CREATE TABLE IF NOT EXISTS bench_message (LIKE agent_sessions_sessionmessage INCLUDING ALL);
CREATE TABLE IF NOT EXISTS bench_part (LIKE agent_sessions_sessionpart INCLUDING ALL);
"""
UPSERTS = """\\set batch random(1, 2000000000)
BEGIN;
INSERT INTO bench_message (id, workspace_id, session_id, message_id, role, model, text, usage, data, created_at)
SELECT uuidv7(), '{key}', '{key}', :batch || m.id, m.role, m.model, m.text, m.usage::jsonb, m.data::jsonb, now()
FROM (VALUES {messages}) m (id, role, model, text, usage, data)
ON CONFLICT (session_id, message_id) DO UPDATE SET role = excluded.role, model = excluded.model, text = excluded.text,
    usage = excluded.usage, data = excluded.data, created_at = excluded.created_at;
INSERT INTO bench_part (id, workspace_id, message_id, part_id, index, kind, data)
SELECT uuidv7(), '{key}', m.id, p.index::text, p.index, p.kind, p.data::jsonb
FROM (VALUES {parts}) p (message_id, index, kind, data)
JOIN bench_message m ON m.session_id = '{key}' AND m.message_id = :batch || p.message_id
ON CONFLICT (message_id, part_id) DO UPDATE SET index = excluded.index, kind = excluded.kind, data = excluded.data;
COMMIT;
"""
"""One batch of messages with their parts, sent as literal rows."""


def parts() -> list[dict[str, Any]]:
    return [{"type": "text", "text": WORDS}, {"type": "tool", "tool": "read", "callID": "c", "state": STATE}]


def measure(stage: Stage, *, messages: int) -> list[Line]:
    """Messages per second, new ones and the same again, beside one connection that upserts bare rows."""
    with tempfile.TemporaryDirectory(prefix="codetether-bench-") as folder:
        codebase = _codebase(stage, folder)
        batches = [[_message(number) for number in range(n, n + BATCH)] for n in range(0, messages, BATCH)]
        fresh, again = (_rate(messages, lambda: _send(stage, codebase, batches)) for _ in range(2))
        database = _database(Path(folder), messages)
        whole = _rate(messages, lambda: asyncio.run(_round(stage, codebase, database)))
    bare = BATCH * stage.pgbench(_bare(stage), clients=1, each=max(1, messages // BATCH), mode="simple")
    reference = "pgbench, multi-row upsert"
    return [
        Line(f"session messages over REST, {BATCH} at a time", fresh, "/s", bare, reference),
        Line(f"session messages over REST, the same again, {BATCH} at a time", again, "/s", bare, reference),
        Line("session messages, from OpenCode's database to PostgreSQL", whole, "/s", bare, reference),
    ]


def _rate(messages: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return messages / (time.perf_counter() - began)


def _bare(stage: Stage) -> str:
    with psycopg.connect(stage.database_url, autocommit=True) as connection:
        connection.execute(TABLES)
        row = connection.execute("SELECT gen_random_uuid()").fetchone()
        assert row is not None
        return _upserts(str(row[0]))


def _upserts(key: str) -> str:
    """The rows of a batch; before their ids pgbench puts a number that it draws anew each time."""
    told = f"'assistant', 'acme/m-1', '{WORDS}', '{{}}', '{{\"agent\": \"build\"}}'"
    said = [(index, part["type"], json.dumps(part)) for index, part in enumerate(parts())]
    messages = (f"('-{number}', {told})" for number in range(BATCH))
    rows = (f"('-{number}', {index}, '{kind}', '{data}')" for number in range(BATCH) for index, kind, data in said)
    return UPSERTS.format(key=key, messages=",\n".join(messages), parts=",\n".join(rows))


def _client(stage: Stage) -> httpx.Client:
    return httpx.Client(base_url=stage.web.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)


def _codebase(stage: Stage, folder: str) -> str:
    with _client(stage) as http:
        worker = {"worker_id": "bench-sync", "name": "bench-sync", "global_codebase_id": "global"}
        http.post("/v1/opencode/workers/register", json=worker).raise_for_status()
        body = {"name": "bench", "path": folder, "worker_id": "bench-sync"}
        answer = http.post("/v1/opencode/codebases", json=body).raise_for_status()
        return str(answer.json()["codebase"]["id"])


def _message(number: int) -> dict[str, Any]:
    time_created = {"created": MADE + number}
    listed = [{**part, "id": f"prt_{number}_{index}"} for index, part in enumerate(parts())]
    return {"id": f"msg_{number}", "role": "assistant", "agent": "build", "time": time_created, "parts": listed}


def _send(stage: Stage, codebase: str, batches: list[list[dict[str, Any]]]) -> None:
    path = f"/v1/opencode/codebases/{codebase}/sessions"
    with _client(stage) as http:
        http.post(f"{path}/sync", json={"sessions": [{"id": "ses_rest", "title": "Bench"}]}).raise_for_status()
        for batch in batches:
            http.post(f"{path}/ses_rest/messages/sync", json={"messages": batch}).raise_for_status()


def _database(folder: Path, messages: int) -> Path:
    path = folder / "opencode.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(OPENCODE_TABLES)
        row = ("ses_whole", str(folder), "Bench", MADE, MADE)
        connection.execute(
            "INSERT INTO session (id, directory, title, time_created, time_updated) VALUES (?, ?, ?, ?, ?)", row
        )
        for number in range(messages):
            message = {"role": "assistant", "time": {"created": MADE + number}}
            add_message(connection, "ses_whole", f"msg_{number:08}", message, parts())
    return path


async def _round(stage: Stage, codebase: str, database: Path) -> None:
    """What a worker does that finds this database for the first time."""
    async with ControlPlane(stage.web.url, TOKEN, worker_id="bench-sync") as client:
        sync = SessionSync(
            client, state_dir=database.parent, limits=SessionLimits(60.0, 10, 1_000_000, None), redactor=Redactor({}),
            folders=lambda: [(codebase, database.parent)], find=lambda: [Store(opencode_sqlite, database)],
        )  # fmt: skip
        assert await sync.run_round() == 1
