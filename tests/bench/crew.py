"""Many at once through the services, arranged as pgbench arranges its clients: so that both can be compared.

`pgbench -c 32 -j 2` is 32 connections driven by two threads, one for each core. Here they are two processes (a thread
of Python's cannot use the second core) with sixteen connections each, a thread for each as in the web process. Every
member does the same number of calls, as pgbench's clients do with `-t`. Processes are forked, with Django set up.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

CORES = 2
"""Processes of ours, and threads of pgbench."""
PATIENCE_SECONDS = 120.0

Work = Callable[[], int]
"""Does one call, and says how many things it has done."""


def rate(work_of: Callable[[int], Work], *, members: int, each: int, processes: int = CORES) -> float:
    """Things done per second by `members` that call their work `each` times, all beginning together.

    Each calls its work once before that, to connect and to prepare its statements.
    """
    fork = multiprocessing.get_context("fork")
    spans: SimpleQueue[tuple[float, float, int]] = fork.SimpleQueue()
    processes = min(processes, members)
    start = fork.Barrier(members)
    crew = [
        fork.Process(target=_crew, args=(work_of, range(one, members, processes), each, start, spans), daemon=True)
        for one in range(processes)
    ]
    for process in crew:
        process.start()
    found = [spans.get() for _ in range(members)]
    for process in crew:
        process.join(PATIENCE_SECONDS)
    if not all(done for _, _, done in found):
        raise RuntimeError("a member of the crew has done nothing")
    return sum(done for _, _, done in found) / (max(end for _, end, _ in found) - min(begun for begun, _, _ in found))


def _crew(
    work_of: Callable[[int], Work],
    numbers: range,
    each: int,
    start: Barrier,
    spans: "SimpleQueue[tuple[float, float, int]]",
) -> None:
    threads = [threading.Thread(target=_member, args=(work_of(number), each, start, spans)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _member(work: Work, each: int, start: Barrier, spans: "SimpleQueue[tuple[float, float, int]]") -> None:
    from django.db import connection  # noqa: PLC0415 (Django is set up only once the stage stands)

    begun, done = 0.0, 0
    try:
        work()
        start.wait(PATIENCE_SECONDS)
        begun = time.monotonic()
        done = sum(work() for _ in range(each))
    finally:
        spans.put((begun, time.monotonic(), done))
        connection.close()
