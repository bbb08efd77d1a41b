"""A task's life through the services."""

import pytest
from django.db import connection

from apps.core.errors import InvalidError, NotFoundError
from apps.tasks import log
from apps.tasks.errors import AlreadyClaimedError, StaleClaimError, TaskEndedError, WrongStateError
from apps.tasks.models import OutboxEntry, Task, TaskEvent
from apps.tasks.reports import from_worker
from apps.tasks.services import (
    Claim,
    NewTask,
    Outcome,
    lease_renew,
    leases_reap,
    task_answer,
    task_cancel,
    task_claim,
    task_create,
    task_decline,
    task_finish,
    task_leave_question,
    task_message,
    task_progress,
    task_reprioritise,
    task_requeue,
    task_snooze,
)
from apps.tasks.states import State
from tests.factories import Cast

DONE = Outcome(status=State.COMPLETED, result="all green", session_id="ses_1", usage={"input_tokens": 7})


def state_of(claim: Claim) -> str:
    return Task.objects.get(id=claim.task_id).state


def expire(claim: Claim) -> None:
    """As if the lease had run out (the database's clock decides, so the test moves the promise, not the clock)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_task SET lease_expires_at = now() - interval '1 second' WHERE id = %s",
            [claim.task_id],
        )


def test_created_task_is_pending_with_one_event_and_one_outbox_row(cast: Cast) -> None:
    task = cast.task(priority=3)
    assert (task.state, task.last_seq, task.attempt) == ("pending", 1, 0)
    assert [event.kind for event in log.read(task.id)] == ["created"]
    assert OutboxEntry.objects.get().task_id == task.id


def test_refused_creation_makes_nothing(cast: Cast) -> None:
    with pytest.raises(InvalidError) as refused:
        cast.task(title=" ", priority=2**31)
    assert set(refused.value.errors or {}) == {"title", "priority"}
    assert not Task.objects.exists()
    assert not TaskEvent.objects.exists()


def test_task_for_another_workspaces_codebase_is_not_found(cast: Cast) -> None:
    foreign = cast.elsewhere().codebase()
    with pytest.raises(NotFoundError):
        cast.task(codebase_id=foreign.id)
    assert not Task.objects.exists()


def test_same_idempotency_key_gives_the_same_task(cast: Cast) -> None:
    new = NewTask(title="Once", prompt="only once", idempotency_key="k1")
    first = task_create(workspace_id=cast.workspace.id, new=new, by="ada")
    again = task_create(workspace_id=cast.workspace.id, new=new, by="ada")
    assert first.id == again.id
    assert Task.objects.count() == 1


def test_claim_work_finish(cast: Cast) -> None:
    claim = cast.held()
    events = [from_worker("output", {"content": "hi"}), from_worker("session", {"session_id": "ses_1"})]
    task_progress(claim=claim, reported=events, seqs=[1, 2])
    done = task_finish(claim=claim, outcome=DONE)
    assert (done.state, done.result, done.session_id, done.usage) == (
        "completed",
        "all green",
        "ses_1",
        {"input_tokens": 7},
    )
    assert [event.kind for event in log.read(done.id)] == [
        "created",
        "claimed",
        "output",
        "session",
        "completed",
    ]


def test_batch_sent_twice_counts_once(cast: Cast) -> None:
    claim = cast.held()
    for batch in ([1, 2], [2, 3], [1, 2, 3]):
        task_progress(claim=claim, reported=[from_worker("output", {"content": str(n)}) for n in batch], seqs=batch)
    said = [event.data["content"] for event in log.read(claim.task_id) if event.kind == "output"]
    assert said == ["1", "2", "3"]


def test_finish_sent_twice_counts_once(cast: Cast) -> None:
    claim = cast.held()
    first = task_finish(claim=claim, outcome=DONE)
    again = task_finish(claim=claim, outcome=DONE)
    assert first.last_seq == again.last_seq


def test_other_ending_after_the_end_is_refused(cast: Cast) -> None:
    claim = cast.held()
    task_finish(claim=claim, outcome=DONE)
    with pytest.raises(StaleClaimError):
        task_finish(claim=claim, outcome=Outcome(status=State.FAILED, error="no"))
    assert state_of(claim) == "completed"


def test_claimed_task_cannot_be_claimed_again(cast: Cast) -> None:
    claim = cast.held()
    with pytest.raises(AlreadyClaimedError):
        task_claim(claimer=cast.claimer("w2"), task_id=claim.task_id)


def test_nothing_is_accepted_after_a_cancel(cast: Cast) -> None:
    claim = cast.held()
    task_cancel(workspace_id=cast.workspace.id, task_id=claim.task_id, by="ada")
    with pytest.raises(StaleClaimError):
        task_finish(claim=claim, outcome=DONE)
    with pytest.raises(StaleClaimError):
        task_progress(claim=claim, reported=[from_worker("output", {"content": "late"})], seqs=[1])
    assert lease_renew(workspace_id=cast.workspace.id, claims={claim.task_id: claim.token}) == []
    with pytest.raises(TaskEndedError):
        task_cancel(workspace_id=cast.workspace.id, task_id=claim.task_id, by="ada")


def test_vanished_workers_task_is_rescued_and_its_late_finish_refused(cast: Cast) -> None:
    late = cast.held()
    expire(late)
    assert leases_reap().requeued == 1
    Task.objects.update(available_at="2000-01-01T00:00Z")
    second = cast.held(Task.objects.get())
    with pytest.raises(StaleClaimError):
        task_finish(claim=late, outcome=DONE)
    assert task_finish(claim=second, outcome=DONE).attempt == 2


def test_renewed_lease_is_not_rescued(cast: Cast) -> None:
    claim = cast.held()
    expire(claim)
    lease_renew(workspace_id=cast.workspace.id, claims={claim.task_id: claim.token})
    assert leases_reap().total == 0
    assert state_of(claim) == "running"


def test_spent_attempts_end_as_failed_with_the_reason(cast: Cast) -> None:
    claim = cast.held(max_attempts=1)
    expire(claim)
    assert leases_reap().failed == 1
    task = Task.objects.get()
    assert (task.state, task.error_code) == ("failed", "attempts_spent")
    assert "w1 vanished" in task.error


def test_passed_deadline_fails_a_pending_task(cast: Cast) -> None:
    task = cast.task(deadline_seconds=0.001)
    assert task_claim(claimer=cast.claimer()) == []
    assert leases_reap().expired == 1
    task.refresh_from_db()
    assert (task.state, task.error_code) == ("failed", "deadline_passed")


def test_question_and_answer_while_held(cast: Cast) -> None:
    claim = cast.held()
    asked = [from_worker("output", {"content": "hm"}), from_worker("input_required", {"question": "Really?"})]
    assert task_progress(claim=claim, reported=asked, seqs=[1, 2]).state == "input_required"
    task_progress(claim=claim, reported=asked, seqs=[1, 2])
    answered = task_answer(workspace_id=cast.workspace.id, task_id=claim.task_id, message="yes", by="ada")
    assert (answered.state, answered.claim_token) == ("running", claim.token)
    assert task_progress(claim=claim, reported=asked, seqs=[1, 2]).state == "running"


def test_question_left_behind_makes_the_task_pending_when_answered(cast: Cast) -> None:
    claim = cast.held()
    task_leave_question(claim=claim, question="Which one?", options=[])
    answered = task_answer(workspace_id=cast.workspace.id, task_id=claim.task_id, message="that", by="ada")
    assert (answered.state, answered.claim_token, answered.worker_id) == ("pending", None, "")


def test_question_of_a_vanished_worker_stands(cast: Cast) -> None:
    claim = cast.held()
    task_progress(claim=claim, reported=[from_worker("input_required", {"question": "Really?"})], seqs=[1])
    expire(claim)
    assert leases_reap().unheld == 1
    assert state_of(claim) == "input_required"
    assert task_answer(workspace_id=cast.workspace.id, task_id=claim.task_id, message="y", by="a").state == "pending"


def test_answer_without_a_question_is_refused(cast: Cast) -> None:
    claim = cast.held()
    with pytest.raises(WrongStateError):
        task_answer(workspace_id=cast.workspace.id, task_id=claim.task_id, message="yes", by="ada")
    assert Task.objects.get().last_seq == 2


def test_retryable_failure_waits_and_tries_again(cast: Cast) -> None:
    claim = cast.held()
    back = task_finish(claim=claim, outcome=Outcome(status=State.FAILED, error="503", retry=True))
    assert (back.state, back.error, back.attempt) == ("pending", "503", 1)
    assert task_claim(claimer=cast.claimer()) == []


def test_last_retryable_failure_is_final(cast: Cast) -> None:
    claim = cast.held(max_attempts=1)
    ended = task_finish(claim=claim, outcome=Outcome(status=State.FAILED, error="503", retry=True))
    assert (ended.state, ended.error) == ("failed", "503")


def test_snooze_burns_no_attempt(cast: Cast) -> None:
    claim = cast.held(max_attempts=1)
    back = task_snooze(claim=claim, seconds=0, reason="drain")
    assert (back.state, back.attempt, back.max_attempts) == ("pending", 1, 2)
    assert cast.held(back).task_id == claim.task_id


def test_declined_task_is_not_offered_to_that_worker_again(cast: Cast) -> None:
    claim = cast.held()
    task_decline(claim=claim, worker_id="w1", reason="no such path")
    assert task_claim(claimer=cast.claimer("w1")) == []
    assert len(task_claim(claimer=cast.claimer("w2"))) == 1


def test_requeue_voids_the_claim(cast: Cast) -> None:
    claim = cast.held()
    task_requeue(workspace_id=cast.workspace.id, task_id=claim.task_id, by="ada")
    with pytest.raises(StaleClaimError):
        task_finish(claim=claim, outcome=DONE)
    assert state_of(claim) == "pending"


def test_message_reaches_the_holder(cast: Cast) -> None:
    claim = cast.held()
    task_message(workspace_id=cast.workspace.id, task_id=claim.task_id, message="hurry", by="ada")
    (lease,) = lease_renew(workspace_id=cast.workspace.id, claims={claim.task_id: claim.token})
    assert lease.steering_seq == 3


def test_higher_priority_goes_first_then_age(cast: Cast) -> None:
    low, high, low2 = cast.task(priority=0), cast.task(priority=5), cast.task(priority=0)
    assert [task.id for task in task_claim(claimer=cast.claimer(), limit=3)] == [high.id, low.id, low2.id]


def test_reprioritised_task_moves_up(cast: Cast) -> None:
    first, second = cast.task(), cast.task()
    task_reprioritise(workspace_id=cast.workspace.id, task_id=second.id, priority=9, by="ada")
    assert [task.id for task in task_claim(claimer=cast.claimer(), limit=2)] == [second.id, first.id]


@pytest.mark.parametrize(
    ("need", "claimer"),
    [
        ({"requires": ["gpu"]}, {"capabilities": ["cpu"]}),
        ({"model": "openai/o9"}, {"models": ["anthropic/x"]}),
        ({"target_agent": "reviewer"}, {"roles": ["builder"]}),
        ({}, {"queues": ["another"]}),
    ],
)
def test_task_is_not_given_to_a_worker_that_cannot_do_it(cast: Cast, need: dict, claimer: dict) -> None:
    cast.task(**need)
    assert task_claim(claimer=cast.claimer(**claimer)) == []


def test_other_workspaces_tasks_cannot_be_touched(cast: Cast) -> None:
    claim = cast.held()
    other = cast.elsewhere()
    assert task_claim(claimer=other.claimer()) == []
    with pytest.raises(NotFoundError):
        task_cancel(workspace_id=other.workspace.id, task_id=claim.task_id, by="eve")
    with pytest.raises(NotFoundError):
        task_finish(claim=Claim(other.workspace.id, claim.task_id, claim.token), outcome=DONE)
    assert state_of(claim) == "running"


def test_many_queues_of_many_tasks_give_the_best(cast: Cast) -> None:
    shop, till = cast.codebase("shop"), cast.codebase("till")
    for _ in range(5):
        cast.task(codebase_id=shop.id)
    best = cast.task(codebase_id=till.id, priority=1)
    (got,) = task_claim(claimer=cast.claimer(queues=[shop.id, till.id, "global"]))
    assert got.id == best.id
