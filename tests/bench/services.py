"""What the heart's services do by themselves: claims and event appends, beside bare SQL by pgbench on the same tables.

Runs in this process, on as many threads as a web process has for its database.
"""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import django
import psycopg

from tests.bench.stage import Stage
from tests.bench.table import Line

if TYPE_CHECKING:
    from apps.tasks.services import Claim

THREADS = 8
BATCH = 10
EVENTS = 50

FILL = """
INSERT INTO tasks_task (id, workspace_id, queue, title, prompt, agent_type, model, priority, rank, requires,
    target_agent, metadata, created_by, context_id, session_id, state, last_seq, last_steering_seq, heard_seq, position,
    attempt, max_attempts, declined_by, worker_id, claim_seq, client_seq, result, error, error_code, usage)
SELECT gen_random_uuid(), %(workspace)s, %(queue)s, 'bench', 'bench', 'build', '', 0, n, '{}', '', '{}', 'bench', '',
    '', 'pending', 1, 0, 0, 0, 0, 3, '{}', '', 0, 0, '', '', '', '{}'
FROM generate_series(1, %(count)s) n"""

BARE_CLAIM = """
UPDATE tasks_task SET state = 'running', attempt = attempt + 1, claim_token = gen_random_uuid(), worker_id = 'bench',
    lease_expires_at = clock_timestamp() + interval '60 seconds'
WHERE id IN (SELECT id FROM tasks_task WHERE workspace_id = '{workspace}' AND queue = '{queue}' AND state = 'pending'
    ORDER BY rank, id LIMIT {limit} FOR UPDATE SKIP LOCKED) RETURNING id;
"""

EVENT_TABLE = "CREATE TABLE IF NOT EXISTS bench_event (LIKE tasks_taskevent INCLUDING ALL)"
TEXT = "x" * 100
BARE_APPEND = f"""\\set task random(1, 2000000000)
INSERT INTO bench_event (task_id, seq, workspace_id, position, kind, data)
SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(:task::bigint), 12, '0'))::uuid, n, gen_random_uuid(), 1, 'output',
    jsonb_build_object('type', 'text', 'content', '{TEXT}') FROM generate_series(1, {EVENTS}) n ON CONFLICT DO NOTHING;
"""


class Bench:
    """The services on the stage's database, in the default workspace."""

    def __init__(self, stage: Stage) -> None:
        django.setup()
        self.stage = stage
        with psycopg.connect(stage.database_url) as connection:
            row = connection.execute("SELECT id FROM accounts_workspace WHERE slug = 'default'").fetchone()
            connection.execute(EVENT_TABLE)
        assert row is not None
        self.workspace: uuid.UUID = row[0]

    def fill(self, queue: str, count: int) -> None:
        with psycopg.connect(self.stage.database_url, autocommit=True) as connection:
            connection.execute(FILL, {"workspace": self.workspace, "queue": queue, "count": count})
            connection.execute("VACUUM ANALYZE tasks_task")

    def empty(self) -> None:
        with psycopg.connect(self.stage.database_url, autocommit=True) as connection:
            connection.execute("TRUNCATE tasks_task, tasks_taskevent, tasks_outboxentry, bench_event")

    def rate(self, work: Callable[[int], int], *, seconds: float) -> float:
        """Things done per second by THREADS threads; `work(thread)` does some and says how many."""
        from django.db import connection  # noqa: PLC0415 (Django is set up only once the stage stands)

        start, done = threading.Barrier(THREADS + 1), [0] * THREADS

        def loop(thread: int) -> None:
            work(thread)
            start.wait()
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                done[thread] += work(thread)
            connection.close()

        with ThreadPoolExecutor(THREADS) as pool:
            looping = [pool.submit(loop, thread) for thread in range(THREADS)]
            start.wait()
            began = time.perf_counter()
            for one in looping:
                one.result()
            return sum(done) / (time.perf_counter() - began)


def measure_claims(bench: Bench, *, limit: int, seconds: float, most: int) -> Line:
    """Claims per second, `limit` at a time, from a queue that does not run dry."""
    from apps.tasks.services import Claimer, task_claim  # noqa: PLC0415 (as above)

    bench.fill("bench-claim", most)

    def claim(thread: int) -> int:
        claimer = Claimer(bench.workspace, f"w{thread}", ["bench-claim", "global", "__pending__"])
        return len(task_claim(claimer=claimer, limit=limit))

    ours = bench.rate(claim, seconds=seconds)
    bench.empty()
    bench.fill("bench-bare", most)
    script = BARE_CLAIM.format(workspace=bench.workspace, queue="bench-bare", limit=limit)
    bare = bench.stage.pgbench(script, clients=THREADS, seconds=seconds) * limit
    bench.empty()
    aim = "at or above 0.35" if limit == 1 else "at or above 0.6"
    return Line(f"claims by the service, {limit} at a time", ours, "/s", bare, "pgbench, bare", aim)


def measure_appends(bench: Bench, *, seconds: float) -> Line:
    """Events per second in batches of EVENTS, each thread reporting on a task of its own."""
    from apps.tasks.services import event_from_worker, task_progress  # noqa: PLC0415 (as above)

    held = _held(bench)
    sent = [0] * THREADS

    def report(thread: int) -> int:
        said = [event_from_worker("output", {"type": "text", "content": TEXT}) for _ in range(EVENTS)]
        seqs = range(sent[thread] + 1, sent[thread] + 1 + EVENTS)
        task_progress(claim=held[thread], reported=said, seqs=list(seqs))
        sent[thread] += EVENTS
        return EVENTS

    ours = bench.rate(report, seconds=seconds)
    bare = bench.stage.pgbench(BARE_APPEND, clients=THREADS, seconds=seconds) * EVENTS
    bench.empty()
    return Line(f"events appended, {EVENTS} at a time", ours, "/s", bare, "pgbench insert", "at or above 0.6")


def _held(bench: Bench) -> "list[Claim]":
    from apps.tasks.services import Claim, Claimer, task_claim  # noqa: PLC0415 (as above)

    bench.fill("bench-append", THREADS)
    claimed = task_claim(claimer=Claimer(bench.workspace, "w", ["bench-append"]), limit=THREADS)
    return [Claim(bench.workspace, task.id, task.claim_token) for task in claimed if task.claim_token]
