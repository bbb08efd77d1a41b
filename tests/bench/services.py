"""What the heart's services do by themselves: claims and event appends, beside bare SQL by pgbench on the same tables.

Ours and pgbench's rounds take turns, so that what else the machine does falls on both.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import django
import psycopg

from tests.bench import crew
from tests.bench.rows import COLUMNS, FINISHED, copies, waiting
from tests.bench.stage import Stage
from tests.bench.table import Line

BATCH = 10
EVENTS = 50
TEXT = "x" * 100

BARE_CLAIM = """
UPDATE tasks_task SET state = 'running', attempt = attempt + 1, claim_token = gen_random_uuid(), worker_id = 'bench',
    lease_expires_at = clock_timestamp() + interval '60 seconds'
WHERE id IN (SELECT id FROM tasks_task WHERE workspace_id = '{workspace}' AND queue = '{queue}' AND state = 'pending'
    ORDER BY rank, id LIMIT {limit} FOR UPDATE SKIP LOCKED) RETURNING id;
"""

EVENT_TABLE = "CREATE TABLE IF NOT EXISTS bench_event (LIKE tasks_taskevent INCLUDING ALL)"
BARE_APPEND = f"""\\set task random(1, 2000000000)
INSERT INTO bench_event (task_id, seq, workspace_id, position, kind, data)
SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(:task::bigint), 12, '0'))::uuid, n, '{{workspace}}', 1, 'output',
    jsonb_build_object('type', 'text', 'content', '{TEXT}') FROM generate_series(1, {EVENTS}) n ON CONFLICT DO NOTHING;
"""


@dataclass(frozen=True)
class Claiming:
    """How claims are measured: by how many, how many at a time, and how many claims in each round."""

    claimers: int
    limit: int
    claims: int
    rounds: int

    @property
    def each(self) -> int:
        """Calls of one claimer in a round."""
        return max(1, self.claims // self.claimers // self.limit)

    @property
    def name(self) -> str:
        at_once = "1 claimer" if self.claimers == 1 else f"{self.claimers} claimers"
        return f"claims, {at_once}, {self.limit} at a time"


class Bench:
    """The stage's database, seen by the services in the default workspace. Rows are copies of a task that the web
    process has made, whatever columns it has."""

    def __init__(self, stage: Stage) -> None:
        """There must be one task in the global queue, made over REST."""
        django.setup()
        self.stage = stage
        self._queues = 0
        sql = "SELECT id, workspace_id FROM tasks_task WHERE queue = 'global' AND idempotency_key IS NULL"
        with self._connected() as connection:
            connection.execute(EVENT_TABLE)
            row = connection.execute(sql).fetchone()
            assert row is not None
            self.pattern, self.workspace = row
            connection.execute("UPDATE tasks_task SET queue = 'pattern' WHERE id = %s", [self.pattern])

    def _connected(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.stage.database_url, autocommit=True)

    def copies(self, values: Mapping[str, str], count: int = 1) -> str:
        """INSERT of `count` copies of the pattern, with these values (tests/bench/rows.py)."""
        with self._connected() as connection:
            return copies([name for (name,) in connection.execute(COLUMNS)], self.pattern, values, count)

    def fill(self, count: int) -> str:
        """A new queue with `count` pending tasks; its name."""
        self._queues += 1
        queue = f"bench-{self._queues}"
        with self._connected() as connection:
            connection.execute(self.copies(waiting(queue), count).encode())
            connection.execute("VACUUM ANALYZE tasks_task")
        return queue

    def finish(self, count: int, more: Mapping[str, str] | None = None) -> None:
        """Have `count` finished tasks in the table, with statistics that know of them; `more` as for copies."""
        with self._connected() as connection:
            connection.execute(self.copies({**FINISHED, **(more or {})}, count).encode())
            connection.execute("VACUUM ANALYZE tasks_task")

    def complete(self, task_id: str) -> None:
        """Have a waiting task done by a worker."""
        from apps.tasks.services import Claim, Claimer, Outcome, task_claim, task_finish  # noqa: PLC0415 (as below)
        from apps.tasks.states import State  # noqa: PLC0415

        claimer = Claimer(self.workspace, "bench", ["global"])
        (task,) = task_claim(claimer=claimer, task_id=uuid.UUID(task_id))
        assert task.claim_token is not None
        claim = Claim(self.workspace, task.id, task.claim_token)
        task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, result="done"))

    def execute(self, sql: str) -> None:
        with self._connected() as connection:
            connection.execute(sql.encode())

    def empty(self) -> None:
        """Remove every task but the pattern."""
        with self._connected() as connection:
            connection.execute("TRUNCATE tasks_taskevent, tasks_outboxentry, bench_event")
            connection.execute("DELETE FROM tasks_task WHERE id <> %s", [self.pattern])
            connection.execute("VACUUM (ANALYZE) tasks_task")


def measure_claims(bench: Bench, how: Claiming, *, pending: int, processes: int = crew.CORES) -> tuple[float, float]:
    """(claims per second by the service, by pgbench), from a queue in which `pending` tasks wait."""
    from apps.tasks.services import Claimer, task_claim  # noqa: PLC0415 (Django is set up only once the stage stands)

    def work_of(number: int) -> crew.Work:
        claimer = Claimer(bench.workspace, f"w{number}", [queue, "global", "__pending__"])
        return lambda: len(task_claim(claimer=claimer, limit=how.limit))

    ours, bare = [], []
    for _ in range(how.rounds):
        queue = bench.fill(pending)
        ours.append(crew.rate(work_of, members=how.claimers, each=how.each, processes=processes))
        script = BARE_CLAIM.format(workspace=bench.workspace, queue=bench.fill(pending), limit=how.limit)
        bare.append(how.limit * bench.stage.pgbench(script, clients=how.claimers, each=how.each))
    return harmonic(ours), harmonic(bare)


def harmonic(rates: list[float]) -> float:
    """The rate of rounds of equal size together."""
    return len(rates) / sum(1 / rate for rate in rates)


def measure_appends(bench: Bench, *, reporters: int, calls: int) -> Line:
    """Events per second in batches of EVENTS, each reporter on a task of its own."""
    from apps.tasks.services import Claim, Claimer, event_from_worker, task_claim, task_progress  # noqa: PLC0415

    queue = bench.fill(reporters)
    each = max(1, calls // reporters)

    def work_of(number: int) -> crew.Work:
        said = [event_from_worker("output", {"type": "text", "content": TEXT}) for _ in range(EVENTS)]
        held: list[Claim] = []
        sent = 0

        def report() -> int:
            nonlocal sent
            if not held:
                (task,) = task_claim(claimer=Claimer(bench.workspace, f"w{number}", [queue]))
                assert task.claim_token is not None
                held.append(Claim(bench.workspace, task.id, task.claim_token))
            task_progress(claim=held[0], reported=said, seqs=list(range(sent + 1, sent + 1 + EVENTS)))
            sent += EVENTS
            return EVENTS

        return report

    ours = crew.rate(work_of, members=reporters, each=each)
    script = BARE_APPEND.format(workspace=bench.workspace)
    bare = EVENTS * bench.stage.pgbench(script, clients=reporters, each=each)
    name = f"events appended, {reporters} reporters, {EVENTS} at a time"
    return Line(name, ours, "/s", bare, "pgbench, multi-row INSERT", "at or above 0.6")


def claim_plan(bench: Bench) -> str:
    """The plan of the very statement that claims, on the tables as they are, with a task to claim."""
    from tests.bench.plan import explained  # noqa: PLC0415 (as above)

    return explained(bench.workspace, bench.fill(BATCH))
