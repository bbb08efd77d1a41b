"""Workspaces in which tasks wait for one reason or another: put there by hand, or drawn by chance."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.tasks.models import Task
from apps.tasks.services import Claim, limit_set, queue_pause, task_claim, task_decline
from apps.workers.models import Worker
from apps.workers.selectors import claimer_of
from apps.workers.services import Registration, worker_drain, worker_register
from apps.workers.waiting import CODES, pending_by_reason, why_pending
from tests.factories import Cast

MODEL = {"id": "acme/large", "name": "large", "provider": "acme"}
REVIEWER = {"role": "reviewer", "instance": "reviewer:host:w1"}


def worker(cast: Cast, worker_id: str = "w1", **more: Any) -> Worker:
    said: dict[str, Any] = {"name": worker_id, "global_codebase_id": "global"} | more
    return worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id=worker_id, **said))


def limited(cast: Cast, kind: str, key: str = "", most: int = 1) -> None:
    limit_set(workspace_id=cast.workspace.id, kind=kind, key=key, most=most, by="ada")


def paused(cast: Cast, kind: str, key: str = "", reason: str = "") -> None:
    queue_pause(workspace_id=cast.workspace.id, kind=kind, key=key, by="ada", reason=reason)


def changed(task: Task, **values: Any) -> None:
    Task.objects.filter(id=task.id).update(**values)


def without(**nothing: Any) -> None:
    """The workers lose something."""
    Worker.objects.update(**nothing)


def declines(cast: Cast, task: Task, worker_id: str) -> None:
    claimer = cast.claimer(
        worker_id, queues=[task.queue], models=[task.model], roles=[task.target_agent], capabilities=task.requires
    )
    (held,) = task_claim(claimer=claimer, task_id=task.id)
    assert held.claim_token is not None
    task_decline(
        claim=Claim(held.workspace_id, held.id, held.claim_token), worker_id=worker_id, reason="no such folder"
    )


def counted(cast: Cast | None) -> dict[str, int]:
    counts = pending_by_reason(cast.workspace.id if cast else None)
    assert list(counts) == list(CODES)
    return {code: number for code, number in counts.items() if number}


def reason_of(task: Task) -> str:
    found = why_pending(Task.objects.get(id=task.id))
    assert found is not None
    return found.code


def words(task: Task) -> str:
    found = why_pending(Task.objects.get(id=task.id))
    assert found is not None
    return found.text


@dataclass
class Chance:
    """Draws a workspace with workers, tasks, claims, limits and pauses, many of them in each other's way."""

    cast: Cast
    draw: random.Random

    def some(self, *choices: str) -> list[str]:
        return self.draw.sample(choices, self.draw.randint(0, len(choices)))

    def furnish(self) -> None:
        for name in ("shop", "till"):
            self.cast.codebase(name, id=f"{name}-{self.cast.workspace.slug}", worker_id="")
        self.queues = ["global", *(f"{name}-{self.cast.workspace.slug}" for name in ("shop", "till"))]
        for number in range(self.draw.randint(0, 4)):
            self.worker(f"w{number}")
        made = [self.task() for _ in range(24)]
        for task in self.draw.sample(made, 5):
            for worker_id in self.some("w0", "w1"):
                declines(self.cast, task, worker_id)
        for task in self.draw.sample(made, 3):
            changed(task, available_at=timezone.now() + timedelta(minutes=5))
        for task in self.draw.sample(made, 3):
            changed(task, deadline_at=timezone.now() - timedelta(minutes=5))
        self.claim()
        self.bound()
        for _ in range(8):
            self.task()

    def worker(self, worker_id: str) -> None:
        worker(
            self.cast,
            worker_id,
            global_codebase_id=self.draw.choice(["global", ""]),
            codebases=self.some(*self.queues[1:]),
            capabilities=self.some("gpu", "docker"),
            models=[MODEL] if self.draw.random() < 0.7 else [],
            agents=[REVIEWER] if self.draw.random() < 0.7 else [],
            concurrency=self.draw.choice([None, 1, 3]),
            only_targeted=self.draw.random() < 0.2,
        )
        if self.draw.random() < 0.15:
            worker_drain(workspace_id=self.cast.workspace.id, worker_id=worker_id, draining=True, by="otto")

    def task(self) -> Task:
        return self.cast.task(
            codebase_id=self.draw.choice(self.queues),
            model=self.draw.choice(["", "", "", "large"]),
            target_agent=self.draw.choice(["", "", "", "reviewer"]),
            requires=self.draw.choice([[], [], [], ["gpu"], ["worker:w3"]]),
            concurrency_key=self.draw.choice(["", "", "deploy", "test"]),
            priority=self.draw.randint(-5, 5),
        )

    def claim(self) -> None:
        for one in Worker.objects.filter(workspace_id=self.cast.workspace.id):
            task_claim(claimer=claimer_of(one), limit=self.draw.randint(1, 4))

    def bound(self) -> None:
        """Limits and pauses, on some parts."""
        parts = [("workspace", ""), *(("codebase", queue) for queue in self.queues), ("worker", "w0"), ("worker", "w1"),
                 ("key", "deploy"), ("key", "test")]  # fmt: skip
        for kind, key in self.draw.sample(parts, self.draw.randint(0, 5)):
            if self.draw.random() < 0.75:
                limited(self.cast, kind, key, most=self.draw.randint(1, 5 if kind != "workspace" else 12))
            elif kind != "workspace":
                paused(self.cast, kind, key)
