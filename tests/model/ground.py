"""What all rules stand on: the model, the product beside it, and how the two are compared."""

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant

from tests.model.queue import ROSTER, Queue, places
from tests.model.target import Held, Target
from tests.model.target import refusal as refusal_of
from tests.model.task import TERMINAL, Task, Wish
from tests.model.world import World

TASKS = Bundle("tasks")
CLAIMS = Bundle("claims")
"""Every claim that was ever good. Rules draw old ones, which `shown` often turns into one that holds now."""

WORKERS = st.sampled_from([*ROSTER, "w1", "w1"])
PICKS = st.sampled_from([0, 1, 2, 3, None])
"""Which of those that are still open a rule uses instead of the one that it drew; None: the drawn one, over or not."""


class Ground(RuleBasedStateMachine):
    """One life. Without a `target` the model lives alone, and only its own laws are checked."""

    target: ClassVar[Target | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()
        self.seen: World | None = None
        self.before: World | None = None
        self.ended: dict[uuid.UUID, str] = {}
        self.followed_up: set[uuid.UUID] = set()
        if self.target:
            self.target.begin(list(ROSTER))

    def created(self, wish: Wish) -> uuid.UUID:
        """A task made twice with one key, which is one task."""
        key = str(uuid.uuid4())
        target = self.touched()
        task = target.create(wish, key) if target else uuid.uuid4()
        assert target is None or target.create(wish, key) == task
        self.queue.add(task, wish)
        return task

    def tell(self, write: Callable[[Target], object], refusal: str, apply: Callable[[], object]) -> None:
        """A write that must be done, or refused for this reason; then nothing has changed."""
        before = self.world if self.target and refusal else None
        if target := self.touched():
            assert refusal_of(partial(write, target)) == refusal
            assert not refusal or self.world == before, "what was refused had an effect"
        if not refusal:
            apply()

    def touched(self) -> Target | None:
        """The product, if there is one, about to be changed: what it holds must be read again."""
        self.seen = None
        return self.target

    @property
    def world(self) -> World:
        """What the database holds; read again after each write."""
        if self.seen is None:
            self.seen = World.read()
        return self.seen

    def take(self, worker: str, granted: Sequence[Held] | None, expected: Sequence[uuid.UUID]) -> list[Held]:
        """Note what a claim gave, which must be just what the model says."""
        if granted is None:
            granted = [self.imagined(worker, task) for task in expected]
        assert [held.task for held in granted] == list(expected)
        for held in granted:
            self.queue.claim(held.task, worker, held.token)
            task = self.queue.tasks[held.task]
            assert (held.attempt, held.heard) == (task.attempt, task.heard)
            assert all(self.queue.room(place) >= 0 for place in places(task, worker)), "a limit is overfull"
        return list(granted)

    def imagined(self, worker: str, task: uuid.UUID) -> Held:
        told = self.queue.tasks[task]
        return Held(task, uuid.uuid4(), worker, told.attempt + 1, told.heard)

    def shown(self, drawn: Held, pick: int | None) -> tuple[Held, Task, str]:
        """(the claim that a worker shows, the task's model, why the product must refuse it)."""
        good = [Held(*claim) for claim in self.queue.good_claims()]
        held = good[pick % len(good)] if good and pick is not None else drawn
        task = self.queue.tasks[held.task]
        return held, task, task.refuses_token(held.token)

    def chosen(self, drawn: uuid.UUID, pick: int | None) -> tuple[uuid.UUID, Task]:
        """The task that a client means, and its model."""
        alive = [task_id for task_id, task in self.queue.tasks.items() if task.state not in TERMINAL]
        task_id = alive[pick % len(alive)] if alive and pick is not None else drawn
        return task_id, self.queue.tasks[task_id]

    # What must always be true

    @invariant()
    def model_keeps_its_laws(self) -> None:
        for task_id, task in self.queue.tasks.items():
            assert task.attempt <= task.max_attempts
            assert self.ended.get(task_id, task.state) == task.state, "what has ended has moved"
            if task.state in TERMINAL:
                self.ended[task_id] = task.state

    @invariant()
    def product_and_model_agree(self) -> None:
        if self.target is None or self.seen is not None and self.seen == self.before:
            return
        world = self.world
        assert world.facts() == {task_id: task.facts() for task_id, task in self.queue.tasks.items()}
        assert world.limit_facts() == self.queue.limit_facts()
        world.check_folds()
        assert world.outbox == world.moves, "each move has one entry in the outbox"
        assert len(world.moves) == sum(task.moves for task in self.queue.tasks.values())
        world.check_append_only(self.before or world)
        self.before = world
