"""Where mutants grow: a copy of the tree in a temporary folder, and servers that all runs share."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from codetether import env
from codetether.embedded import start
from tests.mutants.fault import Mutant, module_of
from tests.mutants.verdict import Verdict, judge, judge_baseline

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("apps", "codetether", "worker", "tests", "templates", "static", "pyproject.toml", "README.md")
DATABASE = "mutants"
"""Pytest makes `test_mutants` of it: no run of the usual tests uses that one."""
RUN_SECONDS = 300


@dataclass(frozen=True)
class Field:
    """The servers' addresses and the folder below which the copies are made."""

    home: Path
    database_url: str
    redis_url: str

    def baseline(self, tests: Sequence[str]) -> Verdict:
        """All the tests that mutants are shown, in an unchanged copy."""
        with self._copy() as root:
            code, output = self._pytest(root, ["codetether"], sorted(set(tests)))
        return judge_baseline(code, output)

    def grow(self, mutant: Mutant) -> Verdict:
        """Plant the fault in a copy, run its tests there, and judge."""
        with self._copy() as root:
            mutant.plant(root)
            code, output = self._pytest(root, [module_of(file) for file in mutant.files], mutant.tests)
            return judge(code, _witness(root), output)

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        root = Path(tempfile.mkdtemp(dir=self.home, prefix="tree-"))
        leave_out = shutil.ignore_patterns("__pycache__", ".*_cache", "node_modules", ".codetether")
        for name in NEEDED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=leave_out)
            else:
                shutil.copy(ROOT / name, root / name)
        try:
            yield root
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def _pytest(self, root: Path, modules: Sequence[str], tests: Sequence[str]) -> tuple[int, str]:
        """(exit code, output). The copy comes first on the path, also in processes that the tests start."""
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "tests.mutants.witness", f"--witness={_witness(root)}"]
        variables = env.inherited(
            PYTHONPATH=f"{root}:{root / 'worker'}",
            PYTHONDONTWRITEBYTECODE="1",
            DATABASE_URL=self.database_url,
            A2A_REDIS_URL=self.redis_url,
            CODETETHER_DATA_DIR=str(root / ".codetether"),
        )
        command = [sys.executable, "-m", "pytest", *options, *(f"--mutated={name}" for name in modules), *tests]
        try:
            done = subprocess.run(
                command, cwd=root, env=variables, capture_output=True, text=True, check=False, timeout=RUN_SECONDS
            )
        except subprocess.TimeoutExpired as late:
            return -1, f"not done within {RUN_SECONDS} s\n{late.stdout}"
        return done.returncode, done.stdout + done.stderr


def _witness(root: Path) -> Path:
    return root / "witness.jsonl"


@contextmanager
def fenced(database_url: str, redis_url: str) -> Iterator[Field]:
    """A field with the given servers, or, where an address is empty, with embedded ones for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="codetether-mutants-", ignore_cleanup_errors=True) as home:
        if database_url and redis_url:
            yield Field(Path(home), _named(database_url), redis_url)
            return
        services = start(Path(home) / "servers", durable=False)
        try:
            yield Field(Path(home), _named(services.database_url), services.redis_url)
        finally:
            services.stop()


def _named(database_url: str) -> str:
    return urlsplit(database_url)._replace(path=f"/{DATABASE}").geturl()
