"""The product's own processes for a whole test session: a web and a gRPC process on a database of their own."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections

from apps.core import db
from apps.core.tenancy import AS_OWNER, acting
from codetether import env
from tests.e2e.plant import DATABASE, START_SECONDS, Plant, until

STOP_SECONDS = 20


@contextmanager
def own_database(name: str, blocker: Any) -> Iterator[str]:
    """The URL of a copy of the tests' (empty) database, which other tests do not empty; dropped at the end.

    `blocker` is pytest-django's, which else forbids connections outside a test's own.
    """
    parameters = connection.settings_dict
    origin = str(parameters["NAME"])
    with blocker.unblock(), _administration() as run:
        run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{origin}' AND backend_type = 'client backend'"
        )
        run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        run(f'CREATE DATABASE "{name}" TEMPLATE "{origin}"')
    try:
        yield DATABASE.format(**{**parameters, "NAME": name})
    finally:
        with blocker.unblock(), _administration() as run:
            run(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _administration() -> Iterator[Callable[[str], Any]]:
    """Run statements beside the tests' database, which nobody of this process is connected to meanwhile."""
    db.close_pool()
    connections.close_all()
    origin = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = "postgres"
    try:
        with acting(AS_OWNER), connection.cursor() as cursor:
            yield cursor.execute
    finally:
        connection.close()
        connection.settings_dict["NAME"] = origin


@contextmanager
def program(plant: Plant, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another of the product's processes on the plant's database; its log is in the plant's folder.

    One that goes on after SIGTERM is killed, and fails whatever it serves.
    """
    variables = env.inherited(**plant.environment())
    with (plant.home / f"{command[0]}-{command[-1]}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", *command], env=variables, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


@contextmanager
def grpc_process(plant: Plant, port: int) -> Iterator[None]:
    """The gRPC binding beside the plant's web process."""
    with program(plant, "codetether.grpc_server") as process:
        until(lambda: _listens(port) or process.poll() is not None, "the gRPC process listens", seconds=START_SECONDS)
        assert process.poll() is None, "the gRPC process has ended"
        yield


@contextmanager
def celery(plant: Plant) -> Iterator[None]:
    """Celery's worker and beat, as the supervisor starts them."""
    quietly = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING")
    worker = program(plant, "celery", "-A", "codetether", "worker", "--pool=threads", "--concurrency=2", *quietly)
    beat = program(plant, "celery", "-A", "codetether", "beat", "--loglevel=WARNING", "--pidfile=")
    with worker, beat:
        yield


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
