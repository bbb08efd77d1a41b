"""Who may import whom: the contracts of pyproject.toml, held by import-linter."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT


def test_every_import_contract_is_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([program, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
