"""Push notifications: every client makes, reads and removes configs, and is told in the version that it speaks."""

from collections.abc import Iterator

import pytest

from tests.contract.clients.drivers import ClientError, Driver
from tests.contract.clients.hands import Hand
from tests.contract.clients.receiver import Json, Receiver
from tests.contract.clients.speaking import WAYS, Seen, Speaker, Way, seen
from tests.e2e.plant import Plant, until

pytestmark = pytest.mark.django_db  # the site's database is a copy of the tests' own

FULL_WAYS = [
    way
    for way in WAYS
    if way.client != "python-0.3.26" and (way.client, way.version, way.binding) != ("python-1.3.0", "0.3", "HTTP+JSON")
]
"""The old Python client can only set and get configs; the new one cannot list them by 0.3's REST."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as one:
        yield one


def test_a_config_is_kept_as_it_was_given(speaker: Speaker, receiver: Receiver) -> None:
    task = speaker.sent("Calculate 25 * 4")
    url = receiver.url("/hook")
    made = speaker.push_set(task.task_id, "c1", url, "secret-1")
    assert (made["id"], made["url"]) == ("c1", url)
    found = speaker.push_get(task.task_id, "c1")
    assert (found["id"], found["url"]) == ("c1", url)
    speaker.cancel(task.task_id)


@pytest.mark.parametrize("speaker", FULL_WAYS, ids=str, indirect=True)
def test_a_task_has_several_configs_until_they_are_deleted(speaker: Speaker, receiver: Receiver) -> None:
    task_id = speaker.sent("Calculate 25 * 4").task_id
    for config_id in ("c1", "c2"):
        speaker.push_set(task_id, config_id, receiver.url(f"/{config_id}"), "")
    assert [config["id"] for config in speaker.push_list(task_id)] == ["c1", "c2"]
    speaker.push_delete(task_id, "c1")
    assert [config["id"] for config in speaker.push_list(task_id)] == ["c2"]
    with pytest.raises(ClientError):
        speaker.push_get(task_id, "c1")
    speaker.cancel(task_id)


def test_each_is_told_of_the_end_in_its_own_version(
    site: Plant, jobs: None, drivers: dict[str, Driver], hand: Hand, receiver: Receiver
) -> None:
    tasks = {path_of(way): ordered(Speaker(way, drivers[way.client], hand.role), receiver) for way in WAYS}
    for _ in tasks:
        hand.take().finish("100")
    until(lambda: all(ends(receiver, path) for path in tasks), "everybody was told of the end", seconds=60)
    for way in WAYS:
        path = path_of(way)
        ((headers, body),) = ends(receiver, path)
        assert headers["x-a2a-notification-token"] == f"token of {path}"
        assert (state_of(body), id_of(body)) == ("completed", tasks[path])
        assert (body.get("kind") == "task") is (way.version == "0.3"), way


def path_of(way: Way) -> str:
    return f"/{WAYS.index(way)}"


def ordered(speaker: Speaker, receiver: Receiver) -> str:
    """The id of a task that was sent with its config."""
    path = path_of(speaker.way)
    push = {"id": "mine", "url": receiver.url(path), "token": f"token of {path}"}
    return speaker.sent("Calculate 25 * 4", push=push).task_id


def ends(receiver: Receiver, path: str) -> list[tuple[dict[str, str], Json]]:
    return [(headers, body) for headers, body in receiver.at(path) if state_of(body) == "completed"]


def state_of(body: Json) -> str:
    return seen(body).state if seen(body).kind in ("task", "status") else ""


def id_of(body: Json) -> str:
    told: Seen = seen(body)
    return told.task_id
