"""People's devices are told what needs them: once, encrypted, by who proves who it is, and only what concerns them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Membership
from apps.accounts.permissions import Role
from apps.notifications.kinds import Kind
from apps.notifications.models import Notice, PushSubscription
from apps.notifications.web_push import public_key
from apps.tasks.models import Task
from apps.tasks.services import leases_reap, outbox_dispatch, task_answer
from tests.notifications.conftest import Stage


def test_a_question_comes_to_the_device_of_who_may_answer(stage: Stage) -> None:
    stage.device(stage.person())
    task = stage.asks(stage.cast.held(title="Mend the till"), "May I?\n\trm -rf old/")
    (call,) = stage.tell()
    assert stage.devices["/push/1"].read(call) == {
        "title": "Asks: Mend the till",
        "body": "May I? rm -rf old/",
        "tag": str(task.id),
        "url": f"/admin/tasks/task/{task.id}/change/",
        "waiting": 1,
    }
    told = {name: call.headers[name] for name in ("ttl", "urgency", "topic")}
    assert told == {"ttl": "86400", "urgency": "high", "topic": task.id.hex}
    assert (len(stage.tell()), Notice.objects.count()) == (1, 0)
    assert PushSubscription.objects.get().last_sent_at is not None


def test_the_sender_proves_who_it_is(stage: Stage, settings: Any) -> None:
    settings.VAPID_CONTACT = "mailto:ada@example.org"
    stage.device(stage.person())
    stage.asks(stage.cast.held())
    (call,) = stage.tell()
    proof = stage.devices["/push/1"].proof(call)
    assert (proof["sub"], proof["key"]) == ("mailto:ada@example.org", public_key())
    assert timezone.now().timestamp() < proof["exp"] < timezone.now().timestamp() + 86_400


@pytest.mark.parametrize(
    ("given", "address", "found"),
    [("", "https://ct.example", "https://ct.example"), ("", "http://x", "https://github.com/rileyseaburg/codetether")],
)
def test_a_contact_is_found_without_one_set(stage: Stage, settings: Any, given: str, address: str, found: str) -> None:
    settings.VAPID_CONTACT, settings.A2A_AGENT_URL = given, address
    stage.device(stage.person())
    stage.asks(stage.cast.held())
    (call,) = stage.tell()
    assert stage.devices["/push/1"].proof(call)["sub"] == found


def test_a_failure_for_good_is_told_and_one_with_another_attempt_is_not(stage: Stage) -> None:
    stage.device(stage.person())
    stage.fails(stage.cast.held(title="Again"), retry=True)
    stage.fails(stage.cast.held(title="Mend the till"))
    (message,) = stage.told()
    assert (message["title"], message["body"], message["waiting"]) == ("Failed: Mend the till", "no disk left", 0)
    assert stage.service.calls[0].headers["urgency"] == "normal"


def test_a_task_that_is_given_up_is_told_as_stuck(stage: Stage) -> None:
    stage.device(stage.person(), kinds=["stuck"])
    stage.cast.held(title="Mend the till", max_attempts=1)
    stage.fails(stage.cast.held(title="Another"))
    Task.objects.filter(title="Mend the till").update(lease_expires_at=timezone.now() - timedelta(seconds=9))
    leases_reap()
    (message,) = stage.told()
    assert message["title"] == "Given up: Mend the till"
    assert "vanished" in message["body"]


def test_texts_of_any_size_stay_small(stage: Stage) -> None:
    stage.device(stage.person())
    stage.asks(stage.cast.held(title="\U0001f980" * 500), '\\"\U0001f980\x01' * 5_000)
    (message,) = stage.told()
    assert (len(message["title"]), len(message["body"])) == (120, 300)


def test_every_device_of_every_member_who_may_is_told_once(stage: Stage) -> None:
    olga, ada = stage.person(), stage.person("ada", Role.ADMIN)
    stage.device(olga), stage.device(olga, "/push/2"), stage.device(ada, "/push/3")
    stage.asks(stage.cast.held())
    assert sorted(call.path for call in stage.tell()) == ["/push/1", "/push/2", "/push/3"]


def test_a_viewer_is_not_asked_and_hears_of_failures(stage: Stage) -> None:
    stage.device(stage.person("vera", Role.VIEWER))
    stage.asks(stage.cast.held())
    assert (stage.tell(), Notice.objects.count()) == ([], 0)
    stage.fails(stage.cast.held(title="Mend the till"))
    assert [message["title"] for message in stage.told()] == ["Failed: Mend the till"]


def test_a_superuser_is_told_of_the_workspaces_that_they_are_in(stage: Stage) -> None:
    root = stage.person("root", Role.VIEWER, is_superuser=True)
    stage.device(root)
    stage.asks(stage.cast.held(title="Mend the till"))
    stage.asks(stage.cast.elsewhere().held(title="Another's"))
    assert [message["title"] for message in stage.told()] == ["Asks: Mend the till"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_who_may_not_sign_in_any_more_is_told_nothing(stage: Stage, change: dict[str, bool]) -> None:
    user = stage.person()
    stage.device(user)
    stage.asks(stage.cast.held())
    outbox_dispatch()
    type(user).objects.update(**change)
    assert (stage.tell(), Notice.objects.count()) == ([], 0)


def test_who_left_the_workspace_is_told_nothing(stage: Stage) -> None:
    user = stage.person()
    stage.device(user)
    stage.asks(stage.cast.held())
    outbox_dispatch()
    Membership.objects.filter(user=user).delete()
    assert (stage.tell(), Notice.objects.count()) == ([], 0)


def test_another_workspaces_people_are_told_nothing(stage: Stage) -> None:
    stage.device(stage.person())
    theirs = stage.cast.elsewhere()
    stage.asks(theirs.held())
    outbox_dispatch()
    assert (Notice.objects.count(), stage.tell()) == (0, [])


def test_what_a_device_does_not_want_to_hear_of_is_not_sent(stage: Stage) -> None:
    stage.device(stage.person(), kinds=[str(Kind.FAILED)])
    stage.asks(stage.cast.held())
    assert stage.tell() == []


def test_what_was_answered_before_it_was_told_is_not_sent(stage: Stage) -> None:
    stage.device(stage.person())
    task = stage.asks(stage.cast.held())
    outbox_dispatch()
    task_answer(workspace_id=task.workspace_id, task_id=task.id, message="the second", by="ada")
    assert (stage.tell(), Notice.objects.count()) == ([], 0)


def test_of_several_questions_only_the_open_one_is_told(stage: Stage) -> None:
    stage.device(stage.person())
    claim = stage.cast.held()
    task = stage.asks(claim, "The first?")
    outbox_dispatch()
    task_answer(workspace_id=task.workspace_id, task_id=task.id, message="yes", by="ada")
    stage.asks(claim, "The second?")
    assert [message["body"] for message in stage.told()] == ["The second?"]


def test_changes_that_are_no_news_and_news_for_nobody_cost_next_to_nothing(stage: Stage) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            outbox_dispatch()
        return [query["sql"] for query in seen if "notifications_" in query["sql"]]

    claim = stage.cast.held()
    assert queries() == []
    stage.asks(claim)
    assert len(queries()) == 1
    assert Notice.objects.count() == 0
