"""A pure model of a workspace's queue: who may have which task, in which order, and within which limits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
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


@dataclass
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
        """What a claim of up to `limit` tasks must give, in order: the best first, passing over what is bound."""
        chosen: list[UUID] = []
        taken: list[Place] = []
        for task_id, task in sorted(self.tasks.items(), key=lambda item: item[1].rank):
            if len(chosen) < limit and self.may_be_claimed(worker, task, taken):
                chosen.append(task_id)
                taken += places(task, worker)
        return chosen

    def may_be_claimed(self, worker: str, task: Task, taken: list[Place] | None = None) -> bool:
        wanted = places(task, worker)
        return self.claimable(worker, task) and all(
            self.has_room(place, (taken or []).count(place)) for place in wanted
        )

    def has_room(self, place: Place, taken: int) -> bool:
        limit = self.limits.get(place, Limit())
        return not limit.paused and (limit.most is None or self.held(place) + taken < limit.most)

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
