"""What each official client makes of a refusal: its own error for it."""

import re
from collections.abc import Callable

import pytest

from tests.contract.clients.drivers import ClientError
from tests.contract.clients.hands import Hand
from tests.contract.clients.speaking import Speaker

pytestmark = pytest.mark.django_db  # the site's database is a copy of the tests' own

NOBODY = "01930000-0000-7000-8000-000000000000"
SAID = {
    "TaskNotFound": r"TaskNotFound|-32001|NOT_FOUND|HTTPError 404",
    "TaskNotCancelable": r"TaskNotCancelable|-32002|FAILED_PRECONDITION|HTTPError 409",
    "UnsupportedOperation": r"UnsupportedOperation|-32004|FAILED_PRECONDITION|HTTPError 400|! 9 ",
    "InvalidParams": r"InvalidParams|RequestMalformed|-32602|INVALID_ARGUMENT|HTTPError 400|! 3 ",
}
"""How the clients spell each error: by a class, by JSON-RPC's code, by gRPC's status, by HTTP's."""


def assert_refused(error: str, attempt: Callable[[], object]) -> None:
    with pytest.raises(ClientError) as refusal:
        attempt()
    assert re.search(SAID[error], refusal.value.text)


def test_a_task_that_is_not_there(speaker: Speaker) -> None:
    assert_refused("TaskNotFound", lambda: speaker.get(NOBODY))
    assert_refused("TaskNotFound", lambda: speaker.cancel(NOBODY))
    assert_refused("TaskNotFound", lambda: speaker.sent("hi", task_id=NOBODY))
    assert_refused("TaskNotFound", lambda: speaker.push_get(NOBODY, "c"))


def test_no_stream_of_a_task_that_is_not_there(speaker: Speaker) -> None:
    # The old Python client tells 400 for any answer by REST that is no stream.
    by_number = speaker.way.client == "python-0.3.26" and speaker.way.binding == "HTTP+JSON"
    assert_refused("InvalidParams" if by_number else "TaskNotFound", lambda: list(speaker.subscribe(NOBODY)))
    assert_refused("TaskNotFound", lambda: list(speaker.stream("hi", task_id=NOBODY)))


def test_a_task_that_has_ended(speaker: Speaker, hand: Hand) -> None:
    task_id = speaker.sent("Calculate 25 * 4").task_id
    hand.take().finish("100")
    before = speaker.get(task_id)
    assert_refused("TaskNotCancelable", lambda: speaker.cancel(task_id))
    assert_refused("UnsupportedOperation", lambda: list(speaker.subscribe(task_id)))
    assert_refused("UnsupportedOperation", lambda: speaker.sent("more", task_id=task_id))
    assert speaker.get(task_id) == before


def test_what_cannot_be_meant(speaker: Speaker) -> None:
    task = speaker.sent("Calculate 25 * 4")
    assert_refused("InvalidParams", lambda: speaker.sent("  "))
    assert_refused("InvalidParams", lambda: speaker.sent("more", task_id=task.task_id, context_id="another"))
    assert_refused("InvalidParams", lambda: speaker.get(task.task_id, historyLength=-1))
    assert_refused("InvalidParams", lambda: speaker.push_set(task.task_id, "c", "ftp://127.0.0.1/x", "t"))
    assert_refused("InvalidParams", lambda: speaker.push_set(task.task_id, "c", "http://10.1.2.3/x", "t"))
    assert speaker.cancel(task.task_id).history == ["Calculate 25 * 4"]
