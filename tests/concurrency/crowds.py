"""Many claimers at once under a limit, and somebody who counts meanwhile what they hold."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from django.db import connection

from apps.tasks.models import TaskEvent
from apps.tasks.services import Claim, task_claim, task_snooze
from tests.concurrency.actors import PATIENCE, close_connection
from tests.concurrency.acts import ACTS
from tests.factories import Cast

CLAIMERS = 4
WAYS = ("finish", "requeue", "fail", "give back", "cancel", "finish")
"""How claimers let go, in turn; what is pending again is claimed again, and ends with its second claim."""


class Crowd:
    """Claimers with connections of their own that take and let go until nothing is left."""

    def __init__(self, cast: Cast, queues: Sequence[str], workers: Sequence[str]) -> None:
        self.cast, self.queues, self.workers = cast, queues, workers
        self.together = threading.Barrier(CLAIMERS + 1)

    def work(self, number: int) -> int:
        """How many claims this one was given. It stops when all tasks have ended."""
        worker = self.workers[number % len(self.workers)]
        claimer = self.cast.claimer(worker, queues=self.queues)
        given = 0
        with ExitStack() as closing:
            closing.callback(close_connection)
            self.together.wait(PATIENCE)
            while waiting():
                for task in task_claim(claimer=claimer, limit=2):
                    given += 1
                    assert task.claim_token is not None
                    way = WAYS[(number + given) % len(WAYS)] if task.attempt == 1 else "finish"
                    let_go(Claim(task.workspace_id, task.id, task.claim_token), way)
        return given

    def run(self, watch: Callable[[], None]) -> int:
        """All work; `watch` is called again and again meanwhile. Gives the number of claims."""
        with ThreadPoolExecutor(CLAIMERS) as pool:
            working = [pool.submit(self.work, number) for number in range(CLAIMERS)]
            self.together.wait(PATIENCE)
            while not all(work.done() for work in working):
                watch()
            return sum(work.result() for work in working)


def let_go(claim: Claim, way: str) -> None:
    if way == "give back":
        task_snooze(claim=claim, seconds=0, reason="drain")
    else:
        assert ACTS[way].attempt(claim) == "ok"


def waiting() -> int:
    return count("state IN ('pending', 'running')")


def count(condition: str) -> int:
    """How many tasks there are of that condition, by one statement that knows nothing of limits."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM tasks_task WHERE {condition}")
        (number,) = cursor.fetchone()
    return int(number)


def most_held_by_log() -> int:
    """The most that were held at one time, by the log's own times: a claim is written after it has its place."""
    held = most = 0
    kinds = {"claimed": 1, "requeued": -1, "completed": -1, "failed": -1, "cancelled": -1}
    for kind in TaskEvent.objects.filter(kind__in=kinds).order_by("created_at").values_list("kind", flat=True):
        held += kinds[kind]
        most = max(most, held)
    return most
