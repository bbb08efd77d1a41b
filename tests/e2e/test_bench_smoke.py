"""The bench works: every measurement gives a figure. What the figures are is no test's business."""

import os
import re
import subprocess
import sys

import pytest

MEASURED = (
    "web process, launch to first answer", "web process, resident memory at rest", "create to worker notified, p50",
    "create, notify, claim: idle worker has its task, p50", "create, notify, claim, finish, p50",
    "message/send, non-blocking", "message/send, CPU", "task create over REST", "task create, CPU",
    "MCP get_task, with a handshake's version, CPU", "MCP get_task, 2026-07-28, CPU", "MCP get_task, without a client",
    "create, claim, finish over HTTP, 8 workers", "create, claim, finish: CPU",
    "claims, 1 claimer, 1 at a time, 0 finished", "claims, 2 claimers, 10 at a time, 0 finished",
    "claims, 2 claimers, 1 at a time, 1,000 finished", "claims, 2 claimers, 10 at a time, as with none",
    "session messages over REST, 500", "session messages, from OpenCode's database to PostgreSQL",
    "events appended, 8 reporters", "audit entries in one chain, 8 at once", "idle streams, memory each",
    "event to one stream, p50", "event to 5 streams",
)  # fmt: skip


@pytest.mark.slow
def test_every_measurement_gives_a_figure() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("A2A_", "DJANGO_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--smoke"], env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for what in MEASURED:
        assert re.search(rf"{re.escape(what)}.*?\s{{2,}}-?[\d,.e+-]+ ", done.stdout), what
    assert len(re.findall(r"\(pgbench|\(a2a-sdk", done.stdout)) >= 14
    assert "plan of a claim: " in done.stdout  # which is good is said by tests/integration/test_claim_plan.py
