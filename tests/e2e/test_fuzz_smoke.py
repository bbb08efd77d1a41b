"""The machine behind `make fuzz`: a short run against real processes finds nothing, and tells what became of it."""

import subprocess
import sys

import pytest

from codetether import env


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_short_run_finds_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--cases", "90", "--seed", "3"],
        env=env.inherited(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"\n{binding}" in done.stdout for binding in ("JSON-RPC", "REST", "gRPC", "HTTP"))
    assert "round 10 " in done.stdout
