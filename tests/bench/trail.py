"""How fast the audit trail grows: entries appended to one chain, beside pgbench inserting the same row bare."""

from tests.bench import crew
from tests.bench.services import Bench
from tests.bench.table import Line

TABLE = "CREATE TABLE IF NOT EXISTS bench_audit (LIKE audit_auditentry INCLUDING ALL)"
DETAILS = {"reason": "no longer needed", "caller": "token:019a0000-0000-7000-8000-000000000000"}
BARE = """\\set seq random(1, 2000000000)
INSERT INTO bench_audit (workspace_id, seq, at, action, outcome, actor, target, address, request_id, details, hash)
VALUES ('{workspace}', :seq, clock_timestamp(), 'task.cancel', 'done', 'ada',
    'task:019a0000-0000-7000-8000-000000000000', '192.0.2.1', 'bench-1',
    '{{"reason": "no longer needed", "caller": "token:019a0000-0000-7000-8000-000000000000"}}', sha256('bench'))
ON CONFLICT DO NOTHING;
"""


def measure_trail(bench: Bench, *, writers: int, calls: int) -> Line:
    """Entries per second, each committed, in one workspace: its writers take turns."""
    from apps.audit.actions import Action  # noqa: PLC0415 (Django is set up only once the stage stands)
    from apps.audit.recording import record  # noqa: PLC0415

    each = max(1, calls // writers)

    def work_of(number: int) -> crew.Work:
        said = {"by": f"writer {number}", "target": "task:019a0000-0000-7000-8000-000000000000", "details": DETAILS}

        def append() -> int:
            record(Action.TASK_CANCEL, workspace_id=bench.workspace, **said)  # type: ignore[arg-type]
            return 1

        return append

    bench.execute(TABLE)
    ours = crew.rate(work_of, members=writers, each=each)
    bare = bench.stage.pgbench(BARE.format(workspace=bench.workspace), clients=writers, each=each)
    name = f"audit entries in one chain, {writers} at once"
    return Line(name, ours, "/s", bare, "pgbench, INSERT", "at least 500/s")
