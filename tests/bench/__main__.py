"""`python -m tests.bench`: speed, latency and memory, each beside a reference measured in the same run.

Absolute figures depend on the machine and on what else it does: compare ratios, and runs of one machine.
"""

import argparse
import sys
import time
from dataclasses import dataclass

import uvloop

from tests.bench import a2a, cycles, over_http, services, streams, sync, tools, trail
from tests.bench.services import BATCH, Bench, Claiming
from tests.bench.stage import TOKEN, Stage, staged
from tests.bench.table import Line, Table

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Size:
    """How much is measured. Seconds are those of one measurement; the others are counts."""

    seconds: float
    samples: int
    claimers: tuple[int, ...]
    claims: int
    rounds: int
    pending: int
    finished: int
    appends: int
    listed: int
    cycles: int
    idle_streams: int
    idle_seconds: float
    watchers: int
    fan_outs: int
    synced: int


FULL = Size(4.0, 300, (1, 8, 32), 8_000, 2, 10_000, 1_000_000, 1_200, 100_000, 2_000, 5_000, 10.0, 1_000, 20, 20_000)
SHORT = Size(1.0, 40, (1, 8, 32), 2_000, 1, 3_000, 50_000, 200, 20_000, 300, 200, 1.0, 100, 3, 4_000)
SMOKE = Size(0.2, 3, (1, 2), 64, 1, 400, 1_000, 16, 200, 16, 10, 0.1, 5, 1, 500)

SHARE_OF_ONE = 4
"""A single claimer makes this part of the claims, so that it takes no longer than the others together."""


def measure(stage: Stage, size: Size, table: Table) -> None:
    table.add(*resting(stage))
    table.add(*uvloop.run(cycles.measure_idle_cycle(stage, samples=size.samples)))
    uvloop.run(over_http.make_task(stage))
    bench = Bench(stage)
    table.add(*uvloop.run(over_http.measure_create(bench, seconds=size.seconds)))
    table.add(*uvloop.run(a2a.measure(bench, seconds=size.seconds, listed=size.listed)))
    table.add(*uvloop.run(tools.measure(bench, seconds=size.seconds)))
    table.add(*uvloop.run(cycles.measure_cycles(bench, cycles=size.cycles)))
    table.add(*streaming(stage, size))
    table.add(*sync.measure(stage, messages=size.synced))
    table.add(*(services.measure_appends(bench, reporters=many, calls=size.appends) for many in (1, 8)))
    table.add(*(trail.measure_trail(bench, writers=many, calls=size.appends) for many in (1, 8)))
    queueing(bench, size, table)


def queueing(bench: Bench, size: Size, table: Table) -> None:
    """Claims without finished tasks in the table, and with many."""
    ways = [
        Claiming(many, limit, max(many * limit, size.claims // (SHARE_OF_ONE if many == 1 else 1)), size.rounds)
        for limit in (1, BATCH)
        for many in size.claimers
    ]
    alone: dict[Claiming, float] = {}
    bench.empty()
    for finished in (0, size.finished):
        if finished:
            bench.finish(finished)
            table.note(services.claim_plan(bench))
        for way in ways:
            ours, bare = services.measure_claims(bench, way, pending=size.pending)
            beside = f"{way.name}, {finished:,} finished"
            aim = "at or above 0.35" if way.limit == 1 else "at or above 0.6"
            table.add(Line(beside, ours, "/s", bare, "pgbench, bare", aim))
            if finished:
                table.add(Line(f"{way.name}, as with none", ours, "/s", alone[way], "ours, none", "at or above 0.9"))
            alone.setdefault(way, ours)


def resting(stage: Stage) -> list[Line]:
    """The web process before any load."""
    memory = streams.Process.of(stage.web.pid).memory / MEGABYTE
    return [
        Line("web process, launch to first answer", stage.web.started_in, "s"),
        Line("web process, resident memory at rest", memory, "MB", aim="under 150 MB"),
    ]


def streaming(stage: Stage, size: Size) -> list[Line]:
    """Idle streams and fan-out (tests/bench/streams.py)."""
    streams.IDLE_SECONDS = size.idle_seconds
    found = uvloop.run(
        streams.measure_streams(
            stage.web.url,
            TOKEN,
            server_pid=stage.web.pid,
            database_url=stage.database_url,
            idle=size.idle_streams,
            watchers=size.watchers,
            events=size.fan_outs,
        )
    )
    held, watchers = f"{size.idle_streams:,} idle streams", f"{size.watchers:,} streams"
    return [
        Line(f"{held}, memory each", found["kilobytes_per_stream"], "KB", aim="under 30 KB"),
        Line(f"{held}, threads of the process", found["threads"], "", aim="none per stream"),
        Line(f"{held}, database connections", found["database_connections"], "", aim="none per stream"),
        Line(f"{held}, CPU", found["idle_cpu_percent"], "%"),
        Line("event to one stream, p50", found["lag_ms_p50"], "ms"),
        Line(f"event to {watchers}, last one, p50", found["fan_out_last_ms_p50"], "ms", aim="under 60 ms"),
        Line(f"event to {watchers}, last one, p99", found["fan_out_last_ms_p99"], "ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a quick look, in well under a minute")
    parser.add_argument("--smoke", action="store_true", help="only show that every measurement works")
    options = parser.parse_args()
    size = SMOKE if options.smoke else SHORT if options.short else FULL
    began, table = time.monotonic(), Table(sys.stderr)
    sys.stderr.write("starting servers\n")
    with staged() as stage:
        measure(stage, size, table)
    table.write(sys.stdout)
    sys.stdout.write(f"took {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
