"""`python -m tests.bench`: speed, latency and memory, each beside a reference measured in the same run.

Absolute figures depend on the machine and on what else it does: compare ratios, and runs of one machine.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass

from tests.bench import over_http, services, streams
from tests.bench.stage import TOKEN, Stage, staged
from tests.bench.table import Line, Table

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Size:
    """How much is measured. Seconds are those of one measurement."""

    seconds: float
    samples: int
    claimable: int
    idle_streams: int
    idle_seconds: float
    watchers: int
    fan_outs: int


FULL = Size(5.0, 300, 60_000, 5_000, 10.0, 1_000, 20)
SHORT = Size(1.0, 40, 15_000, 200, 1.0, 100, 3)
SMOKE = Size(0.2, 3, 2_000, 10, 0.1, 5, 1)


def measure(stage: Stage, size: Size, table: Table) -> None:
    table.add(*resting(stage))
    table.add(*asyncio.run(over_http.measure_notice(stage, samples=size.samples)))
    table.add(*asyncio.run(over_http.measure_send(stage, seconds=size.seconds)))
    table.add(*asyncio.run(over_http.measure_create(stage, seconds=size.seconds)))
    bench = services.Bench(stage)
    bench.empty()
    table.add(services.measure_claims(bench, limit=1, seconds=size.seconds, most=size.claimable))
    table.add(services.measure_claims(bench, limit=services.BATCH, seconds=size.seconds, most=4 * size.claimable))
    table.add(services.measure_appends(bench, seconds=size.seconds))
    table.add(*streaming(stage, size))


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
    found = asyncio.run(
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
