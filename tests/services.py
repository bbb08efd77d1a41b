"""Pytest plugin, loaded before Django's settings: real PostgreSQL and Valkey for the whole run.

Uses DATABASE_URL and A2A_REDIS_URL where they are set. Else the controller starts the embedded servers once, in a
temporary folder, and the parallel workers inherit their addresses.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from codetether.embedded import Services, start

_owned: list[tuple[Services, Path]] = []


def _start() -> None:
    folder = Path(tempfile.mkdtemp(prefix="codetether-tests-"))
    services = start(folder, durable=False)
    _owned.append((services, folder))
    os.environ["DATABASE_URL"] = services.database_url
    os.environ["A2A_REDIS_URL"] = services.redis_url
    os.environ["CODETETHER_DATA_DIR"] = str(folder / "data")


if not (os.environ.get("DATABASE_URL") and os.environ.get("A2A_REDIS_URL")):
    _start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what this process started."""
    while _owned:
        services, folder = _owned.pop()
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)
