"""What one can do to a task that another does something to: each act by the services, and what the model says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from apps.core.errors import ConflictError
from apps.tasks import services
from apps.tasks.reports import from_worker
from apps.tasks.services import Claim, Claimer, Outcome
from apps.tasks.states import State
from tests.model.task import Task

FRESH = UUID(int=1)
"""Stands in the model for a token that the database has made."""


@dataclass(frozen=True)
class Act:
    """`do` gives something true where it had an effect; `apply` is what the model says of that."""

    do: Callable[[Claim], object]
    apply: Callable[[Task], object]

    def attempt(self, claim: Claim) -> str:
        """What became of it in a word: ok, nothing (no effect and no error), or the refusal's code."""
        try:
            found = self.do(claim)
        except ConflictError as refused:
            return refused.code
        return "ok" if found else "nothing"


def claimer(claim: Claim) -> Claimer:
    return Claimer(claim.workspace_id, "w2", ["global"])


def reported(kind: str, number: int, **data: str) -> Callable[[Claim], object]:
    event = from_worker(kind, data)
    return lambda claim: services.task_progress(claim=claim, reported=[event], seqs=[number])


def ended(status: State, **more: bool) -> Callable[[Claim], object]:
    return lambda claim: services.task_finish(claim=claim, outcome=Outcome(status=status, result="r", **more))


def by_client(service: Callable[..., object], **more: object) -> Callable[[Claim], object]:
    return lambda claim: service(workspace_id=claim.workspace_id, task_id=claim.task_id, by="ada", **more)


def renewed(claim: Claim) -> object:
    return services.lease_renew(workspace_id=claim.workspace_id, claims={claim.task_id: claim.token})


def left(claim: Claim) -> object:
    return services.task_leave_question(claim=claim, question="Which?", options=[])


ACTS = {
    "claim": Act(
        lambda claim: services.task_claim(claimer=claimer(claim)),
        lambda task: task.claim("w2", FRESH),
    ),
    "take": Act(
        lambda claim: services.task_claim(claimer=claimer(claim), task_id=claim.task_id),
        lambda task: task.claim("w2", FRESH),
    ),
    "renew": Act(renewed, lambda task: task.renew(0)),
    "finish": Act(ended(State.COMPLETED), lambda task: task.finish("completed", retry=False)),
    "fail": Act(ended(State.FAILED), lambda task: task.finish("failed", retry=False)),
    "retry": Act(ended(State.FAILED, retry=True), lambda task: task.finish("failed", retry=True)),
    "report": Act(reported("output", 7, content="hi"), lambda task: task.report([(7, "")])),
    "ask": Act(reported("input_required", 8, question="?"), lambda task: task.report([(8, "input_required")])),
    "snooze": Act(
        lambda claim: services.task_snooze(claim=claim, seconds=60, reason="quota"),
        lambda task: task.give_back(paused=True, burn=False),
    ),
    "decline": Act(
        lambda claim: services.task_decline(claim=claim, worker_id="w1", reason="wrong machine"),
        lambda task: task.decline("w1"),
    ),
    "leave": Act(left, Task.leave_question),
    "reap": Act(lambda claim: services.leases_reap().total, Task.reap),
    "cancel": Act(by_client(services.task_cancel), Task.cancel),
    "requeue": Act(by_client(services.task_requeue), Task.requeue),
    "answer": Act(by_client(services.task_answer, message="that"), Task.answer),
    "speak": Act(by_client(services.task_message, message="hurry"), Task.speak),
    "promote": Act(by_client(services.task_reprioritise, priority=9), lambda task: task.reprioritise(9)),
}
