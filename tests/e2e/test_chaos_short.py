"""A short run of `make chaos`: every kind of fault once or more, and a checker that finds nothing."""

import os
import re
import subprocess
import sys

import pytest

from tests.chaos.checker import VERDICTS
from tests.chaos.nemesis import ODDS


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_nothing_is_lost_doubled_or_stuck_under_faults() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("A2A_", "DJANGO_", "PYTEST_"))}
    kept.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--short"], env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for verdict in VERDICTS:
        assert re.search(rf"^{verdict.upper()} +0$", done.stdout, re.MULTILINE), verdict
    for odds in ODDS:
        assert re.search(rf"^{odds.deed} .*\b{odds.kind} [1-9]", done.stdout, re.MULTILINE), odds
