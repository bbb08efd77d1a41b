"""A pure model of a workspace's queue: who may have which task, in which order, and within which limits."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any
from uuid import UUID

from tests.model.task import Task, Wish

Place = tuple[str, str]
"""A part of the queue that can be bound or paused: (kind, key)."""


@dataclass(frozen=True)
class Skills:
    """What a worker says of itself when it registers."""

    codebases: tuple[str, ...]
    capabilities: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def fit(self, task: Task) -> bool:
        wish = task.wish
        return (
            wish.queue in (*self.codebases, "global")
            and set(wish.requires) <= set(self.capabilities)
            and wish.model in ("", *self.models, *(name.partition("/")[2] for name in self.models))
            and wish.role in ("", *self.roles)
        )


ROSTER = {
    "w1": Skills(("shop",), ("gpu",), ("x/big",), ("reviewer",)),
    "w2": Skills(("shop",)),
    "w3": Skills(("till",), ("docker", "gpu"), ("x/big", "x/small")),
}


@dataclass(frozen=True)
class Limit:
    """How many tasks may be held at once in a place (None: any number), and whether none may be taken there now."""

    most: int | None = None
    paused: bool = False


@dataclass
class Queue:
    """All tasks of a workspace, and the limits."""

    tasks: dict[UUID, Task] = field(default_factory=dict)
    limits: dict[Place, Limit] = field(default_factory=dict)
    tokens: set[UUID] = field(default_factory=set)

    def add(self, task_id: UUID, wish: Wish) -> None:
        self.tasks[task_id] = Task.made(wish, len(self.tasks))

    def claimable(self, worker: str, task: Task) -> bool:
        """Whether the worker may have the task now, limits and pauses apart."""
        free = task.state == "pending" and not task.paused and task.deadline != "passed"
        return free and worker not in task.declined and ROSTER[worker].fit(task)

    def best_for(self, worker: str, limit: int) -> list[UUID]:
        """What a claim of up to `limit` tasks must give, in order.

        The best are chosen among what no limit shuts out; then each limit lets the best of those pass that it has room
        for. The first always passes, and the next claim looks further: a batch may be smaller than what would fit.
        """
        ranked = sorted(self.tasks, key=lambda task_id: self.tasks[task_id].rank)
        chosen = [task_id for task_id in ranked if self.may_be_claimed(worker, self.tasks[task_id])][:limit]
        wanted: list[Place] = []
        granted = []
        for task_id in chosen:
            wanted += (parts := places(self.tasks[task_id], worker))
            if all(wanted.count(place) <= self.room(place) for place in parts):
                granted.append(task_id)
        return granted

    def may_be_claimed(self, worker: str, task: Task) -> bool:
        return self.claimable(worker, task) and all(self.room(place) > 0 for place in places(task, worker))

    def room(self, place: Place) -> float:
        """How many more tasks may be held there."""
        limit = self.limits.get(place, Limit())
        if limit.paused:
            return 0
        return inf if limit.most is None else limit.most - self.held(place)

    def why(self, task: Task) -> str:
        """The one reason for which a pending task waits, in the order in which they must be removed; else empty."""
        if task.state != "pending":
            return ""
        if task.deadline == "passed":
            return "deadline_passed"
        if task.paused:
            return "not_before"
        return self.why_at_its_places(task) or self.why_with_these_workers(task)

    def why_at_its_places(self, task: Task) -> str:
        shared = [place for place in places(task, "") if place[0] != "worker"]
        if any(self.limits.get(place, Limit()).paused for place in shared):
            return "paused"
        if not any(self.claimable(worker, task) for worker in ROSTER):
            return "nobody"
        return next((f"{kind}_limit" for kind, key in shared if self.room((kind, key)) <= 0), "")

    def why_with_these_workers(self, task: Task) -> str:
        return "next_in_line" if any(self.may_be_claimed(worker, task) for worker in ROSTER) else "workers_busy"

    def set(self, place: Place, **changes: Any) -> None:
        """Bind, pause or resume a place; one that is neither bound nor paused is forgotten."""
        self.limits[place] = replace(self.limits.get(place, Limit()), **changes)
        if self.limits[place] == Limit():
            del self.limits[place]

    def limit_facts(self) -> dict[Place, tuple[int | None, bool, int]]:
        """What must be found in the rows of the limits: most, whether paused, how many are held."""
        return {place: (limit.most, limit.paused, self.held(place)) for place, limit in self.limits.items()}

    def held(self, place: Place) -> int:
        return sum(place in places(task, task.worker) for task in self.tasks.values() if task.lease)

    def claim(self, task_id: UUID, worker: str, token: UUID) -> None:
        assert token not in self.tokens, "a token was used twice"
        self.tokens.add(token)
        self.tasks[task_id].claim(worker, token)

    def good_claims(self) -> Iterator[tuple[UUID, UUID, str]]:
        """(task, token, worker) of every claim that holds now."""
        for task_id, task in self.tasks.items():
            if task.token is not None and not task.refuses_token(task.token):
                yield task_id, task.token, task.worker

    def reap(self) -> int:
        return sum(task.reap() for task in self.tasks.values())


def places(task: Task, worker: str) -> list[Place]:
    """Where the task counts while `worker` holds it."""
    keyed = [("key", task.wish.key)] if task.wish.key else []
    return [("workspace", ""), ("codebase", task.wish.queue), ("worker", worker), *keyed]
