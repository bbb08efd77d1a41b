"""What people say to a running task is acted on by somebody: its holder, the next one, or a task of its own."""

import uuid

from apps.tasks.models import Task
from apps.tasks.services import Claim, Outcome, lease_renew, task_finish, task_message, task_snooze
from apps.tasks.states import State
from tests.factories import Cast


def say(cast: Cast, task_id: uuid.UUID, message: str) -> int:
    task = task_message(workspace_id=cast.workspace.id, task_id=task_id, message=message, by="ada")
    return task.last_seq


def done(heard_seq: int | None) -> Outcome:
    return Outcome(status=State.COMPLETED, result="done", session_id="ses_1", heard_seq=heard_seq)


def follower(claim: Claim) -> Task | None:
    return Task.objects.exclude(id=claim.task_id).first()


def test_message_that_came_too_late_becomes_a_task_in_the_same_session(cast: Cast) -> None:
    claim = cast.held(title="Mend the till", target_agent="")
    heard = say(cast, claim.task_id, "hurry")
    say(cast, claim.task_id, "and the door")
    say(cast, claim.task_id, "and the roof")
    task_finish(claim=claim, outcome=done(heard))
    after = follower(claim)
    assert after is not None
    assert (after.prompt, after.session_id, after.created_by) == ("and the door\n\nand the roof", "ses_1", "ada")
    assert after.title == "Follow-up: Mend the till"


def test_ending_said_twice_follows_up_once(cast: Cast) -> None:
    claim = cast.held()
    say(cast, claim.task_id, "hurry")
    for _ in range(2):
        task_finish(claim=claim, outcome=done(0))
    assert Task.objects.count() == 2


def test_nothing_follows_where_everything_was_heard(cast: Cast) -> None:
    claim = cast.held()
    task_finish(claim=claim, outcome=done(say(cast, claim.task_id, "hurry")))
    assert follower(claim) is None


def test_workers_of_before_tell_nothing_and_nothing_follows(cast: Cast) -> None:
    claim = cast.held()
    say(cast, claim.task_id, "hurry")
    task_finish(claim=claim, outcome=done(None))
    assert follower(claim) is None


def test_next_holder_does_not_hear_again_what_was_acted_on(cast: Cast) -> None:
    claim = cast.held()
    heard = say(cast, claim.task_id, "hurry")
    lease_renew(workspace_id=cast.workspace.id, claims={claim.task_id: claim.token}, heard={claim.task_id: heard})
    task_snooze(claim=claim, seconds=0, reason="drain")
    assert Task.objects.get(id=cast.held(Task.objects.get()).task_id).heard_seq == heard


def test_follow_up_forgets_what_was_true_of_the_first_message_alone(cast: Cast) -> None:
    held = cast.held(cast.task(metadata={"a2a": {"messageId": "m1", "parts": [{"data": 1}]}, "notify_email": "a@b.c"}))
    said = {"a2a": {"messageId": "m2"}}
    task = task_message(workspace_id=cast.workspace.id, task_id=held.task_id, message="hurry", by="ada", data=said)
    task_finish(claim=held, outcome=Outcome(status=State.COMPLETED, heard_seq=0))
    following = Task.objects.exclude(id=task.id).get()
    assert following.metadata == {"follows": str(task.id), "notify_email": "a@b.c", "a2a": {"messageId": "m2"}}
