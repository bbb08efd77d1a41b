"""The services, called directly."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from apps.core.errors import ConflictError, NotFoundError
from apps.tasks import services
from apps.tasks.models import Task
from apps.tasks.selectors import task_get
from apps.tasks.services import Claim, NewTask, Outcome, event_from_worker
from apps.tasks.states import State
from apps.workers.selectors import claimer_of, worker_get
from apps.workers.waiting import why_pending
from tests.factories import Cast
from tests.model.queue import Place
from tests.model.stage import register, set_stage
from tests.model.target import LACKING, Ending, Held, RefusedError, Said, refusals
from tests.model.task import Wish


def told[T](work: Callable[..., T], **arguments: object) -> T:
    """The result; a refusal in the rules' own words."""
    try:
        return work(**arguments)
    except (ConflictError, NotFoundError) as refused:
        raise RefusedError(refused.code) from refused


class ByServices:
    """See tests/model/target.py."""

    message_is_answer = False

    def __init__(self, cast: Cast, stranger: Cast | None = None) -> None:
        self.cast, self.stranger = cast, stranger or cast

    def begin(self, workers: Sequence[str]) -> None:
        set_stage(self.cast)
        for worker in workers:
            register(self.cast, worker)
            register(self.stranger, worker)

    def create(self, wish: Wish, key: str) -> UUID:
        new = NewTask(
            title="t",
            prompt="p",
            priority=wish.priority,
            max_attempts=wish.attempts,
            codebase_id=wish.queue,
            requires=wish.requires,
            model=wish.model,
            target_agent=wish.role,
            deadline_seconds=3600 if wish.deadline else None,
            concurrency_key=wish.key,
            idempotency_key=key,
        )
        return told(services.task_create, workspace_id=self.cast.workspace.id, new=new, by="ada").id

    def client(self, service: Callable[..., Task], task: UUID, **more: object) -> None:
        told(service, workspace_id=self.cast.workspace.id, task_id=task, by="ada", **more)

    def cancel(self, task: UUID) -> None:
        self.client(services.task_cancel, task)

    def answer(self, task: UUID) -> None:
        self.client(services.task_answer, task, message="that")

    def speak(self, task: UUID) -> None:
        self.client(services.task_message, task, message="hurry")

    def requeue(self, task: UUID) -> None:
        self.client(services.task_requeue, task)

    def reprioritise(self, task: UUID, priority: int) -> None:
        self.client(services.task_reprioritise, task, priority=priority)

    def claim(self, worker: str, limit: int, task: UUID | None = None) -> list[Held]:
        claimer = claimer_of(worker_get(workspace_id=self.cast.workspace.id, worker_id=worker))
        tasks = told(services.task_claim, claimer=claimer, limit=limit, task_id=task)
        return [_held(task, worker) for task in tasks]

    def claim_named(self, worker: str, task: UUID) -> Held:
        return self.claim(worker, 1, task)[0]

    def renew(self, worker: str, claims: Sequence[Held], heard: int) -> Mapping[UUID, int]:
        leases = services.lease_renew(
            workspace_id=self.cast.workspace.id,
            claims={held.task: held.token for held in claims},
            heard={held.task: heard for held in claims},
        )
        return {lease.task_id: lease.steering_seq if lease.steering_seq > heard else 0 for lease in leases}

    def shown(self, held: Held) -> Claim:
        return Claim(self.cast.workspace.id, held.task, held.token)

    def report(self, held: Held, said: Sequence[Said]) -> None:
        reported = [event_from_worker(one.kind, one.data) for one in said]
        told(services.task_progress, claim=self.shown(held), reported=reported, seqs=[one.number for one in said])

    def finish(self, held: Held, ending: Ending) -> None:
        outcome = Outcome(
            status=State(ending.status), result="r", error="e", retry=ending.retry, heard_seq=ending.heard
        )
        told(services.task_finish, claim=self.shown(held), outcome=outcome)

    def snooze(self, held: Held, seconds: int) -> None:
        told(services.task_snooze, claim=self.shown(held), seconds=seconds, reason="quota")

    def decline(self, held: Held) -> None:
        told(services.task_decline, claim=self.shown(held), worker_id=held.worker, reason="no")

    def leave_question(self, held: Held) -> None:
        told(services.task_leave_question, claim=self.shown(held), question="?", options=[])

    def bind(self, place: Place, most: int | None) -> None:
        self.place(services.limit_set, place, most=most)

    def pause(self, place: Place) -> None:
        self.place(services.queue_pause, place, reason="lunch")

    def resume(self, place: Place) -> None:
        self.place(services.queue_resume, place)

    def place(self, service: Callable[..., object], place: Place, **more: object) -> None:
        told(service, workspace_id=self.cast.workspace.id, kind=place[0], key=place[1], by="ada", **more)

    def why(self, task: UUID) -> str:
        reason = why_pending(task_get(workspace_id=self.cast.workspace.id, task_id=task))
        return "nobody" if reason and reason.code in LACKING else reason.code if reason else ""

    def reap(self) -> int:
        return services.leases_reap().total

    def trespass(self, held: Held) -> Sequence[str]:
        return refusals(ByServices(self.stranger), held)


def _held(task: Task, worker: str) -> Held:
    assert task.claim_token is not None
    return Held(task.id, task.claim_token, worker, task.attempt, task.heard_seq)
