"""Push notifications in the console: how they go, what failed, and another try; never a secret."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.a2a.models import PushConfig
from apps.accounts.permissions import Role
from tests.factories import Cast
from tests.factories.browsers import signed_in

SUBMIT = {"_form_submitted": "on"}
LIST = "admin:a2a_face_pushconfig_changelist"


@pytest.fixture
def otto(cast: Cast) -> Client:
    """An operator's browser."""
    return signed_in(cast, "otto", Role.OPERATOR)


def config(cast: Cast, **more: object) -> PushConfig:
    values = {"url": "https://hook.example/in?key=s3cret", "host": "hook.example", "version": "1.0", "sent_seq": 1}
    secrets = {"token": "t-s3cret", "scheme": "Bearer", "credentials": "c-s3cret"}
    task = cast.task("Mend the till")
    return PushConfig.objects.create(
        workspace=cast.workspace, task_id=task.id, config_id="mine", **{**values, **secrets, **more}
    )


def page(one: PushConfig, name: str = "change") -> str:
    return reverse(f"admin:a2a_face_pushconfig_{name}", args=[one.pk])


def test_list_and_page_tell_how_it_goes_and_no_secret(cast: Cast, otto: Client) -> None:
    one = config(cast, attempts=3, last_error="Answered with status 500.", due_at=timezone.now())
    for text in (otto.get(reverse(LIST)).text, otto.get(page(one)).text):
        assert "Mend the till" in text
        assert "https://hook.example/in" in text
        assert "Answered with status 500." in text
        assert "failing" in text
        assert "s3cret" not in text
    assert "a token, Bearer credentials" in otto.get(page(one)).text


@pytest.mark.parametrize(("status", "shown"), [("failing", False), ("given up", True), ("waiting", False), ("", True)])
def test_filters(cast: Cast, otto: Client, status: str, shown: bool) -> None:
    config(cast, attempts=1, given_up_at=timezone.now())
    found = otto.get(reverse(LIST), {"status": status} if status else {}).context["cl"].result_list
    assert bool(found) == shown


def test_an_operator_has_a_given_up_one_tried_again(cast: Cast, otto: Client) -> None:
    one = config(cast, attempts=9, given_up_at=timezone.now(), failing_since=timezone.now(), last_error="away")
    assert otto.post(page(one, "retry"), SUBMIT)["HX-Redirect"] == page(one)
    one.refresh_from_db()
    assert (one.given_up_at, one.failing_since, one.attempts, one.last_error) == (None, None, 0, "away")
    assert one.due_at is not None


def test_a_viewer_sees_and_tries_nothing(cast: Cast) -> None:
    one = config(cast, given_up_at=timezone.now())
    vera = signed_in(cast, "vera", Role.VIEWER)
    assert vera.get(page(one)).status_code == 200
    assert vera.post(page(one, "retry"), SUBMIT).status_code == 403
    one.refresh_from_db()
    assert one.given_up_at is not None


def test_another_workspaces_are_not_seen(cast: Cast, otto: Client) -> None:
    theirs = config(cast.elsewhere())
    assert "Mend the till" not in otto.get(reverse(LIST)).text
    otto.post(page(theirs, "retry"), SUBMIT)
    theirs.refresh_from_db()
    assert theirs.due_at is None


def test_facts_are_read_only(cast: Cast, otto: Client) -> None:
    one = config(cast)
    assert otto.get(reverse("admin:a2a_face_pushconfig_add")).status_code == 403
    assert otto.post(page(one), {"config_id": "x"}).status_code == 403
    assert otto.post(page(one, "delete"), {"post": "yes"}).status_code == 403
