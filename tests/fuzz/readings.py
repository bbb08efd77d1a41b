"""What the processes hold: memory, files, threads, connections, streams."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from tests.fuzz.stage import TOKEN, Stage

MEBIBYTE = 1 << 20
PAGE_BYTES = 4_096
SETTLE_SECONDS = 30.0


@dataclass(frozen=True)
class Reading:
    """`web` and `grpc` hold (resident bytes, open files, threads); `connections` are those of both processes."""

    web: tuple[int, int, int]
    grpc: tuple[int, int, int]
    connections: int
    streams: int

    def told(self) -> str:
        parts = [
            f"{name} {memory / MEBIBYTE:.1f} MiB {files} files {threads} threads"
            for name, (memory, files, threads) in (("web", self.web), ("grpc", self.grpc))
        ]
        return ", ".join([*parts, f"{self.connections} connections", f"{self.streams} streams"])


def read(stage: Stage) -> Reading:
    return Reading(_process(stage.web_pid), _process(stage.grpc_pid), _connections(stage), _streams(stage))


def read_settled(stage: Stage, files: int) -> Reading:
    """The reading once no stream is open and no more than `files` are in either process; or after a while."""
    deadline = time.monotonic() + SETTLE_SECONDS
    reading = read(stage)
    while (reading.streams or max(reading.web[1], reading.grpc[1]) > files) and time.monotonic() < deadline:
        time.sleep(0.5)
        reading = read(stage)
    return reading


def _process(pid: int) -> tuple[int, int, int]:
    folder = Path(f"/proc/{pid}")
    resident = int((folder / "statm").read_text().split()[1]) * PAGE_BYTES
    threads = int((folder / "stat").read_text().rpartition(")")[2].split()[17])
    return resident, len(list((folder / "fd").iterdir())), threads


def _connections(stage: Stage) -> int:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(stage.database_url) as connection:
        row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def _streams(stage: Stage) -> int:
    """Event streams that are open in the web process."""
    shown = httpx.get(f"{stage.url}/metrics", headers={"authorization": f"Bearer {TOKEN}"}, timeout=20)
    found = re.search(r'^codetether_open_streams\{transport="sse"\} (\S+)$', shown.text, re.MULTILINE)
    return int(float(found[1])) if found else 0
