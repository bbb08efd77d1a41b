"""What clients do."""

from functools import partial
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, multiple, rule

from tests.model.ground import TASKS, Ground
from tests.model.task import ASKING, HELD, Wish

LIVE = {"pending"} | HELD
WISHES = st.builds(
    Wish,
    priority=st.integers(-1, 1),
    attempts=st.integers(1, 3),
    queue=st.sampled_from(["global", "global", "shop", "till"]),
    requires=st.sampled_from([(), (), (), ("gpu",), ("gpu", "docker")]),
    model=st.sampled_from(["", "", "", "x/big", "x/small", "big"]),
    role=st.sampled_from(["", "", "", "reviewer"]),
    key=st.sampled_from(["", "", "k1"]),
    deadline=st.sampled_from(["", "", "ahead"]),
)


class ClientRules(Ground):
    @initialize(target=TASKS)
    def begin(self) -> MultipleResults[UUID]:
        return multiple(*(self.created(Wish()) for _ in range(3)))

    @rule(target=TASKS, wish=WISHES)
    def create(self, wish: Wish) -> UUID:
        return self.created(wish)

    @rule(task_id=TASKS)
    def cancel(self, task_id: UUID) -> None:
        task = self.queue.tasks[task_id]
        self.tell(lambda target: target.cancel(task_id), task.refuses(LIVE), task.cancel)

    @rule(task_id=TASKS)
    def answer(self, task_id: UUID) -> None:
        task = self.queue.tasks[task_id]
        self.tell(lambda target: target.answer(task_id), task.refuses(ASKING), task.answer)

    @rule(task_id=TASKS)
    def speak(self, task_id: UUID) -> None:
        task = self.queue.tasks[task_id]
        answers = self.target is not None and self.target.message_is_answer and task.state in ASKING
        self.tell(lambda target: target.speak(task_id), task.refuses(LIVE), task.answer if answers else task.speak)

    @rule(task_id=TASKS)
    def requeue(self, task_id: UUID) -> None:
        task = self.queue.tasks[task_id]
        self.tell(lambda target: target.requeue(task_id), task.refuses(HELD), task.requeue)

    @rule(task_id=TASKS, priority=st.integers(-1, 1))
    def reprioritise(self, task_id: UUID, priority: int) -> None:
        task = self.queue.tasks[task_id]
        moved = partial(task.reprioritise, priority)
        self.tell(lambda target: target.reprioritise(task_id, priority), task.refuses({"pending"}), moved)
