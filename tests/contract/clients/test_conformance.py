"""The compatibility kits' agent, whole: the product and a real worker play what a messageId asks for."""

import base64
import uuid
from collections.abc import Iterator

import pytest

from tests.contract.clients.drivers import Driver
from tests.contract.clients.speaking import Seen, Speaker, Way, answered
from tests.e2e.plant import Plant
from tests.fakes.worker_process import WorkerProcess

pytestmark = pytest.mark.django_db  # the site's database is a copy of the tests' own

WAY = Way("python-1.3.0", "1.0", "JSONRPC")


@pytest.fixture(scope="session")
def kit_worker(site: Plant) -> Iterator[None]:
    home = site.home / "kit"
    home.mkdir()
    environment = {"A2A_CONFORMANCE": "true", "A2A_WORKER_NAME": "kit", "A2A_WORKER_CONCURRENCY": "16"}
    with WorkerProcess(site.url, home, environment=environment | {"PATH": "/nowhere"}):
        yield


@pytest.fixture
def kit(kit_worker: None, drivers: dict[str, Driver]) -> "Kit":
    return Kit(Speaker(WAY, drivers[WAY.client], agent=""))


class Kit:
    """Sends as a kit does: the messageId's beginning says what it wants."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def sent(self, prefix: str, **more: str) -> Seen:
        return answered(self.speaker.send("TCK", message_id=f"{prefix}-{uuid.uuid4().hex}", **more))

    def streamed(self, prefix: str) -> list[Seen]:
        return list(self.speaker.stream("TCK", message_id=f"{prefix}-{uuid.uuid4().hex}"))


def test_completes_with_a_message(kit: Kit) -> None:
    task = kit.sent("tck-complete-task")
    assert (task.state, task.words) == ("completed", "Hello from TCK")


@pytest.mark.parametrize(
    ("prefix", "part"),
    [
        ("tck-artifact-text", {"text": "Generated text content"}),
        ("tck-artifact-data", {"data": {"key": "value", "count": 42}}),
        (
            "tck-artifact-file-url",
            {"url": "https://example.com/output.txt", "filename": "output.txt", "mediaType": "text/plain"},
        ),
    ],
)
def test_completes_with_one_artifact(kit: Kit, prefix: str, part: dict[str, object]) -> None:
    task = kit.sent(prefix)
    assert task.state == "completed"
    (artifact,) = task.body["artifacts"]
    assert artifact["parts"] == [part]


def test_completes_with_a_file_by_its_content(kit: Kit) -> None:
    (artifact,) = kit.sent("tck-artifact-file").body["artifacts"]
    (part,) = artifact["parts"]
    assert (part["filename"], part["mediaType"]) == ("output.txt", "text/plain")
    assert base64.b64decode(part["raw"]) == b"Generated file content"


def test_answers_with_a_message_alone(kit: Kit) -> None:
    message = kit.sent("tck-message-response")
    assert (message.kind, message.words) == ("message", "Direct message response")


def test_asks_and_goes_on_with_the_answer(kit: Kit) -> None:
    asked = kit.sent("tck-input-required")
    assert asked.state == "input-required"
    task = kit.sent("tck-complete-task", task_id=asked.task_id)
    assert (task.task_id, task.state) == (asked.task_id, "completed")


def test_rejects(kit: Kit) -> None:
    assert kit.sent("tck-reject-task").state == "rejected"


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("tck-stream-001", ["Stream hello from TCK"]),
        ("tck-stream-002", []),
        ("tck-stream-003", ["Stream task lifecycle"]),
        ("tck-stream-ordering-001", ["Ordered output"]),
        ("tck-stream-artifact-text", ["Streamed text content"]),
        ("tck-stream-artifact-chunked", ["chunk-1 ", "chunk-2"]),
    ],
)
def test_streams(kit: Kit, prefix: str, said: list[str]) -> None:
    events = kit.streamed(prefix)
    assert events[0].kind == "task"
    assert [event.state for event in events if event.kind == "status"] == ["working", "completed"]
    chunks = [event for event in events if event.kind == "artifact"]
    assert [event.words for event in chunks] == said
    assert [bool(event.body.get("append")) for event in chunks] == [number > 0 for number in range(len(said))]
    assert not chunks or chunks[-1].body["lastChunk"] is True


def test_works_long_enough_to_be_subscribed_to_and_cancelled(kit: Kit) -> None:
    task = kit.speaker.sent("TCK", message_id=f"test-resubscribe-message-id-{uuid.uuid4().hex}")
    events = kit.speaker.subscribe(task.task_id)
    assert next(events).kind == "task"
    assert next(event for event in events if event.kind == "status").state == "working"
    assert kit.speaker.cancel(task.task_id).state == "canceled"
    assert list(events)[-1].state == "canceled"
