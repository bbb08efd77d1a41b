"""Random lives of tasks, lived twice: by the services on PostgreSQL and by the pure model. They must never differ.

Checked after every step, for every task: state, attempts, holder and numbering as the model says, the row the fold of
its log without gaps, an outbox entry for each move and no other; and of every refusal, that it changed nothing.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings, stateful
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, invariant, multiple, rule

from apps.core.errors import ConflictError
from apps.tasks import services
from apps.tasks.events import MOVES, Event, from_worker
from apps.tasks.models import OutboxEntry, Task, TaskEvent
from apps.tasks.services import Claim, Claimer, NewTask, Outcome
from apps.tasks.states import State
from tests.expiry import end_pauses, expire_leases
from tests.factories import Cast
from tests.fold import assert_rows_are_folds
from tests.unit.states_model import ASKING, HELD, TERMINAL, Model

GOOD = st.sampled_from([None, 0, 1, 2])
"""Which of the claims that hold now a rule uses instead of the one that it drew; None: the drawn one, stale or not."""
WORKERS = st.sampled_from(["w1", "w2"])
ENDINGS = st.sampled_from([State.COMPLETED, State.FAILED, State.CANCELLED, State.REJECTED])


@dataclass(frozen=True)
class Held:
    """A claim that was once good. The rules draw old ones, which `Lives.drawn` often turns into good ones."""

    task: uuid.UUID
    token: uuid.UUID
    worker: str


class Lives(RuleBasedStateMachine):
    """The rules. `cast` is set by the test; each life runs in a transaction of its own, rolled back at its end."""

    cast: Cast
    tasks = Bundle("tasks")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.models: dict[uuid.UUID, Model] = {}
        self.tokens: set[uuid.UUID] = set()
        self.workspace = self.cast.workspace.id

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # What clients do

    @initialize(target=tasks)
    def begin(self) -> MultipleResults[uuid.UUID]:
        return multiple(*(self.made(priority=0, attempts=3) for _ in range(3)))

    @rule(target=tasks, priority=st.integers(-1, 1), attempts=st.integers(1, 3))
    def create(self, priority: int, attempts: int) -> uuid.UUID:
        return self.made(priority, attempts)

    def made(self, priority: int, attempts: int) -> uuid.UUID:
        new = NewTask(
            title="t", prompt="p", priority=priority, max_attempts=attempts, idempotency_key=str(uuid.uuid4())
        )
        task = services.task_create(workspace_id=self.workspace, new=new, by="ada")
        assert services.task_create(workspace_id=self.workspace, new=new, by="ada").id == task.id
        self.models[task.id] = Model(len(self.models), priority, attempts)
        return task.id

    @rule(task=tasks)
    def cancel(self, task: uuid.UUID) -> None:
        model = self.models[task]
        self.client(services.task_cancel, task, model.state not in TERMINAL, model.cancel)

    @rule(task=tasks)
    def answer(self, task: uuid.UUID) -> None:
        model = self.models[task]
        self.client(services.task_answer, task, model.state in ASKING, model.answer, message="that")

    @rule(task=tasks)
    def speak(self, task: uuid.UUID) -> None:
        model = self.models[task]
        said = partial(model.move, model.state, moves=0)
        self.client(services.task_message, task, model.state not in TERMINAL, said, message="hurry")

    @rule(task=tasks)
    def requeue(self, task: uuid.UUID) -> None:
        model = self.models[task]
        back = partial(model.give_back, paused=False, burn=False)
        self.client(services.task_requeue, task, model.state in HELD, back)

    @rule(task=tasks, priority=st.integers(-1, 1))
    def reprioritise(self, task: uuid.UUID, priority: int) -> None:
        model = self.models[task]

        def moved() -> None:
            model.move(model.state, moves=0)
            model.priority = priority

        self.client(services.task_reprioritise, task, model.state == "pending", moved, priority=priority)

    def client(
        self, service: Callable[..., Task], task: uuid.UUID, allowed: bool, apply: Callable[[], object], **more: object
    ) -> None:
        """A client's wish: done where the model allows it, else refused."""
        wish = partial(service, workspace_id=self.workspace, task_id=task, by="ada", **more)
        if not allowed:
            self.refused(wish)
        else:
            wish()
            apply()

    # What workers do

    @rule(target=claims, worker=WORKERS, limit=st.integers(1, 3))
    def claim(self, worker: str, limit: int) -> object:
        free = [(model.order - 600_000 * model.priority, task) for task, model in self.models.items()
                if model.may_be_claimed_by(worker)]  # fmt: skip
        claimed = services.task_claim(claimer=self.claimer(worker), limit=limit)
        assert [task.id for task in claimed] == [task for _, task in sorted(free)][:limit]
        return multiple(*(self.note_claim(task, worker) for task in claimed))

    def claimer(self, worker: str) -> Claimer:
        return Claimer(self.workspace, worker, ["global", "__pending__"])

    def note_claim(self, task: Task, worker: str) -> Held:
        assert task.claim_token is not None
        assert task.claim_token not in self.tokens, "a token was used twice"
        self.tokens.add(task.claim_token)
        self.models[task.id].claim(worker, task.claim_token)
        return Held(task.id, task.claim_token, worker)

    @rule(held=claims, good=GOOD)
    def renew(self, held: Held, good: int | None) -> None:
        held = self.drawn(held, good)
        model = self.models[held.task]
        renewed = services.lease_renew(workspace_id=self.workspace, claims={held.task: held.token})
        good = model.holds(held.token) and model.lease != ""
        assert [lease.task_id for lease in renewed] == ([held.task] if good else [])
        if good:
            model.lease = "live"

    @rule(held=claims, good=GOOD, first=st.integers(1, 4), count=st.integers(1, 3))
    def report(self, held: Held, good: int | None, first: int, count: int) -> None:
        held = self.drawn(held, good)
        said = [from_worker("output", {"content": str(n)}) for n in range(count)]
        seqs = list(range(first, first + count))
        self.worker_reports(held, said, seqs, asks="")

    @rule(held=claims, good=GOOD, first=st.integers(1, 6), auth=st.booleans())
    def ask(self, held: Held, good: int | None, first: int, auth: bool) -> None:
        held = self.drawn(held, good)
        asked = from_worker("input_required", {"question": "Which?", "auth": auth})
        self.worker_reports(held, [asked], [first], asks="auth_required" if auth else "input_required")

    def worker_reports(self, held: Held, said: list[Event], seqs: list[int], *, asks: str) -> None:
        model = self.models[held.task]
        tell = partial(services.task_progress, claim=self.shown(held), reported=said, seqs=seqs)
        self.worker(tell, model.holds(held.token), partial(model.report, seqs, asks=asks))

    @rule(held=claims, good=GOOD, status=ENDINGS, retry=st.booleans(), again=st.booleans())
    def finish(self, held: Held, good: int | None, status: State, retry: bool, again: bool) -> None:
        held = self.drawn(held, good)
        model = self.models[held.task]
        outcome = Outcome(status=status, result="r", error="e", retry=retry)
        end = partial(services.task_finish, claim=self.shown(held), outcome=outcome)
        if model.token == held.token and model.state == status:
            end()  # said before: accepted again, changes nothing
            return
        retried = status is State.FAILED and retry
        self.worker(end, model.holds(held.token), partial(model.finish, status, retry=retried))
        if again and model.token == held.token and model.state == status:
            end()

    @rule(held=claims, good=GOOD, seconds=st.sampled_from([0, 3600]))
    def snooze(self, held: Held, good: int | None, seconds: int) -> None:
        held = self.drawn(held, good)
        model = self.models[held.task]
        give = partial(services.task_snooze, claim=self.shown(held), seconds=seconds, reason="quota")
        self.worker(give, model.holds(held.token), partial(model.give_back, paused=seconds > 0, burn=False))

    @rule(held=claims, good=GOOD)
    def decline(self, held: Held, good: int | None) -> None:
        held = self.drawn(held, good)
        model = self.models[held.task]
        give = partial(services.task_decline, claim=self.shown(held), worker_id=held.worker, reason="no")
        self.worker(give, model.holds(held.token), model.decline)

    @rule(held=claims, good=GOOD)
    def leave_question(self, held: Held, good: int | None) -> None:
        held = self.drawn(held, good)
        model = self.models[held.task]
        leave = partial(services.task_leave_question, claim=self.shown(held), question="?", options=[])
        self.worker(leave, model.holds(held.token), model.leave_question)

    def drawn(self, held: Held, good: int | None) -> Held:
        """One of the claims that hold now where `good` says so and there is any, else the drawn one."""
        live = [Held(task, model.token, model.worker) for task, model in self.models.items()
                if model.token is not None and model.state in HELD]  # fmt: skip
        return live[good % len(live)] if live and good is not None else held

    def shown(self, held: Held) -> Claim:
        return Claim(self.workspace, held.task, held.token)

    def worker(self, write: Callable[[], object], holds: bool, apply: Callable[[], object]) -> None:
        """A holder's write: done where the model says that it holds, else refused."""
        if not holds:
            self.refused(write)
        else:
            write()
            apply()

    def refused(self, write: Callable[[], object]) -> None:
        before = list(Task.objects.order_by("id").values())
        with pytest.raises(ConflictError):
            write()
        assert list(Task.objects.order_by("id").values()) == before

    # What time does

    @rule()
    def leases_run_out(self) -> None:
        expire_leases()
        for model in self.models.values():
            model.lease = model.lease and "expired"

    @rule()
    def pauses_end(self) -> None:
        end_pauses()
        for model in self.models.values():
            model.paused = False

    @rule()
    def reap(self) -> None:
        expired = sum(model.lease == "expired" for model in self.models.values())
        assert services.leases_reap().total == expired
        assert services.leases_reap().total == 0
        for model in self.models.values():
            model.reap()

    @rule()
    def workers_vanish(self) -> None:
        """All at once, so that second and third attempts are common in these lives."""
        self.leases_run_out()
        self.reap()
        self.pauses_end()

    # What must always be true

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        for task in Task.objects.all():
            model = self.models[task.id]
            assert (task.state, task.attempt, task.max_attempts) == (model.state, model.attempt, model.max_attempts)
            assert (task.worker_id, task.claim_token) == (model.worker, model.token)
            assert (task.last_seq, task.priority) == (model.seq, model.priority)
            assert task.attempt <= task.max_attempts

    @invariant()
    def rows_are_folds(self) -> None:
        assert_rows_are_folds()

    @invariant()
    def each_move_has_its_outbox_entry(self) -> None:
        moves = TaskEvent.objects.filter(kind__in=MOVES).values_list("task_id", "seq")
        entries = OutboxEntry.objects.values_list("task_id", "seq")
        assert sorted(entries) == sorted(moves)
        assert len(entries) == sum(model.moves for model in self.models.values())


@pytest.mark.timeout(400)  # when they differ, finding the shortest life in which they do takes its time
def test_services_and_model_live_the_same_lives(cast: Cast) -> None:
    lives = type("LivesOfThisTest", (Lives,), {"cast": cast})
    limits = settings(
        max_examples=30,
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    stateful.run_state_machine_as_test(lives, settings=limits)
