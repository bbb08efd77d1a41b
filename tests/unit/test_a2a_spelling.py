"""Our plain dicts against the SDK: 1.0's parse as its protobuf types, 0.3's are what its own conversion makes."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from a2a.compat.v0_3 import conversions
from a2a.types import Message, StreamResponse, Task
from a2a.utils.proto_utils import validate_proto_required_fields
from google.protobuf.json_format import MessageToDict, ParseDict

from apps.a2a import legacy
from apps.a2a.projection import TOLD, task_view
from apps.a2a.unfolding import Unfolding
from apps.core.extension import EXTENSION
from apps.tasks import models
from apps.tasks.log import LogEvent

NOW = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
ID = uuid.UUID("01900000-0000-7000-8000-000000000001")
PARTS = [
    {"text": "hi", "metadata": {"m": 1.0}},
    {"data": {"n": 1.0}},
    {"data": [1.0, "x"]},
    {"url": "https://x/y", "mediaType": "a/b", "filename": "y"},
]
LOG: list[tuple[str, dict[str, Any]]] = [
    ("created", {}),
    ("claimed", {"worker_id": "w1", "attempt": 1}),
    ("status", {"message": "looking"}),
    ("tool_use", {"tool": "edit", "args": {"path": "a"}}),
    ("output", {"type": "reasoning", "content": "hm"}),
    ("output", {"type": "text", "content": "one "}),
    ("asked", {"state": "input_required", "question": "Which?", "options": [{"id": "a"}], "call_id": ""}),
    ("answered", {"message": "that", "data": {"a2a": {"messageId": "m2"}}, "by": "ada", "resumes": "running"}),
    ("message", {"message": "hurry", "by": "ada", "interrupt": False}),
    ("requeued", {"reason": "drain", "error": "", "delay_seconds": 0, "burn": False}),
    ("claimed", {"worker_id": "w2", "attempt": 2}),
    ("output", {"content": "two"}),
    ("file_change", {"action": "modified", "path": "a"}),
    ("artifact", {"artifact_id": "a", "name": "n", "parts": [{"text": "x", "media_type": "a/b"}], "last_chunk": False}),
    ("artifact", {"artifact_id": "a", "description": "d", "parts": [{"data": [1.0]}], "append": True}),
    ("artifact", {"artifact_id": "b", "parts": [{"url": "https://x/y", "filename": "y"}], "metadata": {"k": "v"}}),
    ("completed", {"result": "three", "session_id": "s", "usage": {"input_tokens": 7}}),
]
LINES = [LogEvent(ID, seq, seq, kind, data, NOW) for seq, (kind, data) in enumerate(LOG, 1)]
ENDINGS = [
    ("completed", {"result": "three"}),
    ("failed", {"error": "no", "code": "x"}),
    ("cancelled", {"reason": "by ada"}),
    ("rejected", {"reason": "never"}),
]


def task(state: str = "completed", **more: Any) -> models.Task:
    said = {"messageId": "m1", "parts": PARTS, "metadata": {"priority": 3.0}, "extensions": ["u"]}
    values = {
        "id": ID, "context_id": "c1", "title": "t", "prompt": "hi", "queue": "global", "state": state,
        "updated_at": NOW, "moved_at": NOW, "worker_id": "w2", "result": "three", "last_seq": len(LOG),
        "usage": {"input_tokens": 7.0}, "metadata": {"a2a": said},
    }  # fmt: skip
    return models.Task(**(values | more))


def told() -> list[LogEvent]:
    return [line for line in LINES if line.kind in TOLD]


VIEWS = [
    pytest.param(task(), told(), id="completed"),
    pytest.param(task("running", result=""), told()[:3], id="running"),
    pytest.param(task("input_required", result="", last_seq=7), told(), id="asking"),
    pytest.param(task("pending", result="", metadata={}, context_id="", last_seq=1), [], id="fresh"),
    *(
        pytest.param(task(kind, result="", last_seq=2), [LINES[0], LogEvent(ID, 2, 2, kind, data, NOW)], id=kind)
        for kind, data in ENDINGS
    ),
]


@pytest.mark.parametrize(("row", "lines"), VIEWS)
def test_task_is_the_sdks_in_both_versions(row: models.Task, lines: list[LogEvent]) -> None:
    view = task_view(row, lines)
    parsed = ParseDict(view, Task())
    validate_proto_required_fields(parsed)
    for one in parsed.history:
        validate_proto_required_fields(one)
    assert MessageToDict(parsed) == view
    theirs = conversions.to_compat_task(parsed).model_dump(by_alias=True, exclude_none=True, mode="json")
    assert legacy.task(view) == theirs


def test_stream_events_are_the_sdks_in_both_versions() -> None:
    unfolding = Unfolding(task())
    events = [event for line in LINES for event in unfolding.events(line)]
    assert [next(iter(event)) for event in events].count("artifactUpdate") == 6
    for event in events:
        parsed = ParseDict(event, StreamResponse())
        theirs = conversions.to_compat_stream_response(parsed, 1).model_dump(
            by_alias=True, exclude_none=True, mode="json"
        )
        ours = legacy.stream_event(event)
        asks = ours.get("status", {}).get("state") == "input-required"
        assert ours == theirs["result"] | ({"final": True} if asks else {})


def test_the_event_of_a_failure_tells_its_code() -> None:
    (event,) = Unfolding(task()).events(LogEvent(ID, 2, 2, *ENDINGS[1], NOW))
    assert event["statusUpdate"]["metadata"] == {EXTENSION: {"errorCode": "x"}}


def test_chunks_of_an_artifact_join_and_others_stand_beside_the_result() -> None:
    made = {one["artifactId"]: one for one in task_view(task(), told())["artifacts"]}
    assert list(made) == ["result", "a", "b"]
    assert made["a"]["name"] == "n"
    assert made["a"]["parts"] == [{"text": "x", "mediaType": "a/b"}, {"data": [1.0]}]


def test_message_is_the_sdks_in_both_versions() -> None:
    new = {"messageId": "m", "role": "ROLE_AGENT", "parts": PARTS, "referenceTaskIds": ["t"]}
    parsed = ParseDict(new, Message())
    assert legacy.message(new) == conversions.to_compat_message(parsed).model_dump(
        by_alias=True, exclude_none=True, mode="json"
    )


def test_events_after_the_row_was_read_are_not_in_its_view() -> None:
    view = task_view(task("running", result="", last_seq=6), told())
    assert [one["parts"][0].get("text") for one in view["history"]] == ["hi"]
    assert view["artifacts"][0]["parts"][0]["text"] == "one "
