"""What clients do."""

from functools import partial
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, multiple, rule

from tests.model.ground import PICKS, TASKS, Ground
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
    key=st.sampled_from(["", "k1"]),
    deadline=st.sampled_from(["", "ahead"]),
)


class ClientRules(Ground):
    @initialize(target=TASKS, wishes=st.lists(WISHES, min_size=1, max_size=3))
    def begin(self, wishes: list[Wish]) -> MultipleResults[UUID]:
        return multiple(*(self.created(wish) for wish in [Wish(), Wish(key="k1"), Wish(deadline="ahead"), *wishes]))

    @rule(target=TASKS, wishes=st.lists(WISHES, min_size=1, max_size=3))
    def create(self, wishes: list[Wish]) -> MultipleResults[UUID]:
        return multiple(*(self.created(wish) for wish in wishes))

    @rule(drawn=TASKS, pick=PICKS)
    def cancel(self, drawn: UUID, pick: int | None) -> None:
        task_id, task = self.chosen(drawn, pick)
        self.tell(lambda target: target.cancel(task_id), task.refuses(LIVE), task.cancel)

    @rule(drawn=TASKS, pick=PICKS)
    def answer(self, drawn: UUID, pick: int | None) -> None:
        task_id, task = self.chosen(drawn, pick)
        self.tell(lambda target: target.answer(task_id), task.refuses(ASKING), task.answer)

    @rule(drawn=TASKS, pick=PICKS)
    def speak(self, drawn: UUID, pick: int | None) -> None:
        task_id, task = self.chosen(drawn, pick)
        answers = self.target is not None and self.target.message_is_answer and task.state in ASKING
        self.tell(lambda target: target.speak(task_id), task.refuses(LIVE), task.answer if answers else task.speak)

    @rule(drawn=TASKS, pick=PICKS)
    def requeue(self, drawn: UUID, pick: int | None) -> None:
        task_id, task = self.chosen(drawn, pick)
        self.tell(lambda target: target.requeue(task_id), task.refuses(HELD), task.requeue)

    @rule(drawn=TASKS, pick=PICKS, priority=st.integers(-1, 1))
    def reprioritise(self, drawn: UUID, pick: int | None, priority: int) -> None:
        task_id, task = self.chosen(drawn, pick)
        moved = partial(task.reprioritise, priority)
        self.tell(lambda target: target.reprioritise(task_id, priority), task.refuses({"pending"}), moved)

    @rule(drawn=TASKS, pick=PICKS)
    def says_why_it_waits(self, drawn: UUID, pick: int | None) -> None:
        task_id, task = self.chosen(drawn, pick)
        assert self.target is None or self.target.why(task_id) == self.queue.why(task)
