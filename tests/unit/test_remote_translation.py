"""What a remote agent tells, as events of our log: one answer of the SDK's client at a time, no network."""

from typing import Any

import pytest
from a2a.types import Part, StreamResponse
from google.protobuf.json_format import ParseDict

from apps.core.extension import EXTENSION
from apps.federation.translation import Heard, Translation
from apps.tasks.services import event_from_worker
from apps.tasks.states import State

Json = dict[str, Any]
PLACE = {"taskId": "t", "contextId": "c"}


@pytest.fixture
def heard() -> "Listener":
    return Listener()


class Listener:
    """A translation that is fed plain objects, and checks that what it tells may be reported."""

    def __init__(self) -> None:
        self.translation = Translation()

    def of(self, **response: Json) -> Heard:
        found = self.translation.take(ParseDict(response, StreamResponse()))
        for kind, data in found.events:
            if not any("content" in part for part in data.get("parts", [])):  # those are stored before
                event_from_worker(kind, data)
        return found

    def status(self, state: str, text: str = "", **more: Any) -> Heard:
        status: Json = {"state": f"TASK_STATE_{state}"}
        if text:
            status["message"] = {"messageId": more.pop("id", text), "role": "ROLE_AGENT", "parts": [{"text": text}]}
        return self.of(statusUpdate={**PLACE, "status": status, **more})

    def chunk(self, *parts: Json, id: str = "answer", append: bool = False, last: bool = False) -> Heard:
        artifact = {"artifactId": id, "name": id, "parts": list(parts)}
        return self.of(artifactUpdate={**PLACE, "artifact": artifact, "append": append, "lastChunk": last})

    def task(self, state: str, *artifacts: tuple[str, list[Json]], text: str = "") -> Heard:
        status: Json = {"state": f"TASK_STATE_{state}"}
        if text:
            status["message"] = {"messageId": text, "role": "ROLE_AGENT", "parts": [{"text": text}]}
        made = [{"artifactId": id, "parts": parts} for id, parts in artifacts]
        return self.of(task={"id": "t", "contextId": "c", "status": status, "artifacts": made})


def output(text: str) -> tuple[str, Json]:
    return "output", {"type": "text", "content": text}


def test_first_text_artifact_is_what_the_agent_says(heard: Listener) -> None:
    assert heard.chunk({"text": "one "}).events == [output("one ")]
    assert heard.chunk({"text": "two"}, append=True).events == [output("two")]
    outcome = heard.status("COMPLETED").outcome
    assert outcome is not None
    assert (outcome.status, outcome.result, outcome.direct) == (State.COMPLETED, "one two", False)


def test_snapshot_tells_only_what_was_missed(heard: Listener) -> None:
    heard.chunk({"text": "one "})
    assert heard.task("WORKING", ("answer", [{"text": "one "}, {"text": "two"}])).events == [output("two")]
    assert heard.task("WORKING", ("answer", [{"text": "one two"}])).events == []


def test_text_that_replaces_what_was_said_is_the_result_only(heard: Listener) -> None:
    heard.chunk({"text": "one"})
    assert heard.chunk({"text": "other"}).events == []
    outcome = heard.status("COMPLETED").outcome
    assert outcome is not None
    assert outcome.result == "other"


def test_second_artifact_stays_one(heard: Listener) -> None:
    heard.chunk({"text": "words"})
    ((kind, data),) = heard.chunk({"text": "x = 1", "filename": "a.py", "mediaType": "text/x-python"}, id="file").events
    part = {"text": "x = 1", "media_type": "text/x-python", "filename": "a.py"}
    assert (kind, data["artifact_id"], data["parts"], data["append"]) == ("artifact", "file", [part], False)
    ((_, more),) = heard.chunk({"data": {"n": 1}}, id="file", append=True, last=True).events
    assert (more["parts"], more["append"], more["last_chunk"]) == ([{"data": {"n": 1}}], True, True)


def test_artifact_told_again_is_left_out_and_another_one_replaces_it(heard: Listener) -> None:
    heard.chunk({"data": 1}, id="file")
    assert heard.task("WORKING", ("file", [{"data": 1}])).events == []
    ((_, more),) = heard.task("WORKING", ("file", [{"data": 1}, {"data": 2}])).events
    assert (more["parts"], more["append"]) == ([{"data": 2}], True)
    ((_, other),) = heard.task("WORKING", ("file", [{"data": 3}])).events
    assert (other["parts"], other["append"]) == ([{"data": 3}], False)


TEXT = {"mediaType": "text/plain"}
TEXT_OF_OURS = {"media_type": "text/plain"}


@pytest.mark.parametrize(
    ("part", "ours"),
    [
        ({"url": "https://x.example/a.png"}, {"url": "https://x.example/a.png"}),
        ({"raw": "aGk=", "filename": "a", **TEXT}, {"text": "hi", "filename": "a", **TEXT_OF_OURS}),
        ({"raw": "/w==", **TEXT}, {"content": b"\xff", **TEXT_OF_OURS}),
        ({"raw": "iVA=", "mediaType": "image/png"}, {"content": b"\x89P", "media_type": "image/png"}),
    ],
)
def test_files(heard: Listener, part: Json, ours: Json) -> None:
    ((_, data),) = heard.chunk(part, id="file").events
    assert data["parts"] == [ours]


def test_long_text_of_a_file_is_a_file(heard: Listener) -> None:
    ((_, data),) = heard.chunk({"text": "x" * 950_000, "filename": "log.txt"}, id="file").events
    assert data["parts"] == [{"content": b"x" * 950_000, "filename": "log.txt"}]


def test_words_on_the_way_are_told_once(heard: Listener) -> None:
    assert heard.status("WORKING", "Thinking.").events == [("status", {"message": "Thinking."})]
    assert heard.task("WORKING", text="Thinking.").events == []


def test_question_is_asked_once(heard: Listener) -> None:
    first = heard.status("INPUT_REQUIRED", "Which?")
    assert (first.question, first.is_asking) == ({"question": "Which?", "auth": False}, True)
    again = heard.task("INPUT_REQUIRED", text="Which?")
    assert (again.question, again.is_asking) == (None, True)
    assert heard.status("INPUT_REQUIRED", "And which?").question == {"question": "And which?", "auth": False}


def test_request_for_credentials(heard: Listener) -> None:
    assert heard.status("AUTH_REQUIRED").question == {
        "question": "The remote agent waits for credentials.",
        "auth": True,
    }


def test_choices_of_a_question_come_along(heard: Listener) -> None:
    parts = [{"text": "Go?"}, {"data": {"options": [{"id": "yes", "label": "Yes"}]}}]
    message = {"messageId": "m", "role": "ROLE_AGENT", "parts": parts}
    status = {"state": "TASK_STATE_INPUT_REQUIRED", "message": message}
    question = heard.of(statusUpdate={**PLACE, "status": status}).question
    assert question == {"question": "Go?", "auth": False, "options": [{"id": "yes", "label": "Yes"}]}


@pytest.mark.parametrize(
    ("state", "ours", "code"),
    [("FAILED", State.FAILED, "remote_failed"), ("REJECTED", State.REJECTED, ""), ("CANCELED", State.CANCELLED, "")],
)
def test_ends_without_a_result(heard: Listener, state: str, ours: State, code: str) -> None:
    outcome = heard.status(state, "Because.").outcome
    assert outcome is not None
    assert (outcome.status, outcome.error) == (ours, "Because.")
    assert ours is not State.FAILED or outcome.error_code == code


def test_last_words_are_the_result_where_nothing_was_said(heard: Listener) -> None:
    outcome = heard.status("COMPLETED", "Done it.").outcome
    assert outcome is not None
    assert outcome.result == "Done it."


def test_last_words_beside_what_was_said_are_a_status(heard: Listener) -> None:
    heard.chunk({"text": "the poem"})
    last = heard.status("COMPLETED", "There you are.")
    assert last.outcome is not None
    assert (last.outcome.result, last.events) == ("the poem", [("status", {"message": "There you are."})])


def test_direct_message(heard: Listener) -> None:
    message = {"messageId": "m", "contextId": "c", "role": "ROLE_AGENT", "parts": [{"text": "Hello"}, {"data": 1}]}
    found = heard.of(message=message)
    assert found.outcome is not None
    assert (found.outcome.result, found.outcome.direct, found.context_id) == ("Hello", True, "c")
    assert found.events[0][1]["parts"] == [{"data": 1}]


def test_whole_numbers_stay_whole(heard: Listener) -> None:
    (told,) = heard.chunk({"data": {"bars": [4, 0.5]}}, id="score").events
    assert str(told[1]["parts"]) == "[{'data': {'bars': [4, 0.5]}}]"


def test_failure_has_the_code_that_a_codetether_gives(heard: Listener) -> None:
    outcome = heard.status("FAILED", "no", metadata={EXTENSION: {"errorCode": "quota"}}).outcome
    assert outcome is not None
    assert (outcome.error, outcome.error_code) == ("no", "quota")


def test_usage_and_tools_of_a_codetether(heard: Listener) -> None:
    tool = {"event": "tool_use", "tool": "bash", "args": {"n": 1}, "call_id": "1"}
    assert heard.status("WORKING", metadata={EXTENSION: tool}).events == [
        ("tool_use", {"tool": "bash", "args": {"n": 1}, "call_id": "1"})
    ]
    usage = {"input_tokens": 3, "cost_usd": 0.5}
    told = heard.status("WORKING", metadata={EXTENSION: {"usage": usage}})
    assert told.events == [("usage", {"input_tokens": 3, "cost_usd": 0.5})]
    outcome = heard.status("COMPLETED", metadata={EXTENSION: {"usage": usage}}).outcome
    assert outcome is not None
    assert outcome.usage == {"input_tokens": 3, "cost_usd": 0.5}


@pytest.mark.parametrize("nonsense", [{"usage": "much"}, {"usage": {"input_tokens": -1}}, {"event": "tool_use"}, 3])
def test_nonsense_under_our_extension_is_left_out(heard: Listener, nonsense: Any) -> None:
    assert heard.status("WORKING", metadata={EXTENSION: nonsense}).events == []


def test_nul_characters_are_replaced_and_long_texts_told_in_pieces(heard: Listener) -> None:
    assert heard.chunk({"text": "a\0b"}).events == [output("a\N{REPLACEMENT CHARACTER}b")]
    assert len(heard.chunk({"text": "x" * 2_000_000}, append=True).events) == 3


def test_parts_are_what_the_sdk_reads() -> None:
    assert ParseDict({"raw": "aGk="}, Part()).raw == b"hi"
