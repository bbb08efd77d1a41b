"""One run from its first process to its verdicts."""

import asyncio
import math
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from tests.chaos import system
from tests.chaos.actors import HandPart, people_of, proxy_of
from tests.chaos.calls import call
from tests.chaos.history import OK, History
from tests.chaos.nemesis import schedule
from tests.chaos.scene import Scene, limits
from tests.chaos.striker import Striker
from tests.chaos.system import DaemonPart, Part, WebPart, wait_until

START_SECONDS = 180.0
IDLE_SECONDS = 90.0
"""How long nothing need happen at the end: the longest pause between attempts is 32 s, the sweep's 5 s."""

KEEP_OUTBOX = """
CREATE TABLE chaos_outbox (task_id uuid, seq bigint, kind text);
GRANT INSERT ON chaos_outbox TO codetether_app;
CREATE FUNCTION chaos_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO chaos_outbox VALUES (NEW.task_id, NEW.seq, NEW.kind); RETURN NULL; END $$;
CREATE TRIGGER chaos_keep AFTER INSERT ON tasks_outboxentry FOR EACH ROW EXECUTE FUNCTION chaos_keep();
"""
"""The outbox is emptied as it is handed over; what was ever written to it stays here, in the same transactions."""


@dataclass(frozen=True)
class Performed:
    """A run that is over, its database still there to be read."""

    scene: Scene
    database_url: str
    striker: Striker
    seconds: float
    settled_in: float


@contextmanager
def performed(scene: Scene) -> Iterator[Performed]:
    """Perform the run; inside, everything but PostgreSQL and Valkey has ended."""
    with system.stores(scene.folder) as (services, store_parts):
        settings, variables = system.product_settings(scene, services)
        system.prepare(settings, variables)
        with psycopg.connect(services.database_url, autocommit=True) as database:
            database.execute(KEEP_OUTBOX)
        webs = [WebPart(f"web-{number}", settings, variables) for number in range(scene.webs)]
        jobs = system.jobs(settings, variables)
        scene = replace(scene, proxy_port=_free_port(), web_ports=tuple(web.port for web in webs))
        with ExitStack() as stack:
            for part in (*webs, *jobs):
                stack.callback(part.stop)
                part.start()
            scene = replace(scene, codebase_id=_codebase(webs[0].port))
            _set_limits(webs[0].port, scene.codebase_id)
            stack.enter_context(proxy_of(scene))
            parts = [*store_parts, *webs, *jobs, *_workers(scene, stack)]
            striker = Striker(parts, History(scene.histories, "nemesis"))
            stack.callback(striker.settle)
            began = time.monotonic()
            settled_in = _play(scene, striker, services.database_url, stack)
            seconds = time.monotonic() - began
        yield Performed(scene, services.database_url, striker, seconds, settled_in)


def _play(scene: Scene, striker: Striker, database_url: str, stack: ExitStack) -> float:
    """The load and the faults, then the calm; the seconds that the tasks took to end in it."""
    stack.enter_context(people_of(scene))
    striker.strike(schedule(scene), lambda: scene.progress() * scene.seconds)
    _tended(striker, lambda: 1.0 - scene.progress())
    scene.calm_flag.touch()
    striker.settle()
    began = time.monotonic()
    _tended(striker, lambda: _open_tasks(database_url) if scene.created_flag.exists() else math.inf)
    settled_in = time.monotonic() - began
    scene.ended_flag.touch()
    _tended(striker, lambda: not scene.content_flag.exists())
    scene.done_flag.touch()
    return settled_in


def _tended(striker: Striker, left: Callable[[], float]) -> None:
    """Wait until nothing is `left`, or nothing has changed about it for long: what is missing then is for the checker
    to say. So a slow machine takes its time."""
    least, deadline = left(), time.monotonic() + IDLE_SECONDS
    while (now := left()) > 0 and time.monotonic() < deadline:
        if now < least:
            least, deadline = now, time.monotonic() + IDLE_SECONDS
        striker.tend()
        time.sleep(0.3)


def _open_tasks(database_url: str) -> float:
    """How many tasks have not ended; infinitely many while nobody can say."""
    try:
        with psycopg.connect(database_url) as database:
            row = database.execute("SELECT count(*) FROM tasks_task WHERE completed_at IS NULL").fetchone()
    except psycopg.OperationalError:
        return math.inf
    return float(row[0]) if row else math.inf


def _codebase(port: int) -> str:
    """A codebase that the hands serve."""
    found: list[str] = []

    def register() -> bool:
        said = {"name": "yard", "path": "/srv/yard", "worker_id": "hand-0"}
        answer = asyncio.run(call(port, "POST", "/v1/opencode/codebases", said))
        if answer.outcome == OK:
            found.append(answer.body["codebase"]["id"])
        return bool(found)

    wait_until(register, "the first web process answers", START_SECONDS)
    return found[0]


def _set_limits(port: int, codebase_id: str) -> None:
    """Bounds on every kind of part of the queue, so narrow that they matter."""
    for (kind, key), most in limits(codebase_id).items():
        answer = asyncio.run(call(port, "PUT", "/v1/queue/limits", {"kind": kind, "key": key, "most": most}))
        if answer.outcome != OK:
            raise RuntimeError(f"no limit for {kind} {key}: {answer}")


def _workers(scene: Scene, stack: ExitStack) -> Sequence[Part]:
    """All workers, running."""
    daemons: list[DaemonPart] = [system.daemon(scene, number) for number in range(scene.daemons)]
    hands = [HandPart(scene, f"hand-{number}") for number in range(scene.hands)]
    for part in daemons:
        stack.callback(part.stop)
    for hand in hands:
        stack.callback(hand.kill)
    for part in (*daemons, *hands):
        part.start()
    return [*daemons, *hands]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((system.LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder_of(seed: int, *, keep: bool) -> Iterator[Path]:
    """A fresh folder, removed at the end unless it is to be kept."""
    path = Path(tempfile.mkdtemp(prefix=f"codetether-chaos-{seed}-"))
    try:
        yield path
    finally:
        if not keep:
            shutil.rmtree(path, ignore_errors=True)
