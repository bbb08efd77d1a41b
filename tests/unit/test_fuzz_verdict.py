"""The judge of fuzzed requests: what he lets pass, and what he does not."""

import json
from typing import Any

import pytest

from tests.fuzz.calls import Sent
from tests.fuzz.verdict import Answer, UnfitAnswer, outcome_of

TASK = {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_SUBMITTED"}}
REFUSAL = {"error": {"code": 404, "status": "NOT_FOUND", "message": "m", "details": [{"reason": "TASK_NOT_FOUND"}]}}


def rpc(**body: Any) -> tuple[Sent, dict[str, Any]]:
    return Sent("JSON-RPC", "GetTask", "1.0", "POST", b"/", (), b""), {"jsonrpc": "2.0", "id": 1, **body}


def rest(body: Any) -> tuple[Sent, Any]:
    return Sent("REST", "GetTask", "1.0", "GET", b"/a2a/rest/tasks/t", (), b""), body


def error(code: int) -> dict[str, Any]:
    return {"code": code, "message": "m"}


def judged(asked: tuple[Sent, Any], status: int = 200, media_type: str = "application/json") -> str:
    sent, body = asked
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return outcome_of(sent, Answer(status, {"content-type": media_type}, content))


@pytest.mark.parametrize(
    ("asked", "status", "outcome"),
    [
        (rpc(result=TASK), 200, "answered"),
        (rpc(error=error(-32001)), 200, "-32001"),
        (rpc(error=error(-32000)), 401, "401 UnauthenticatedError"),
        (rest(TASK), 200, "answered"),
        (rest(REFUSAL), 404, "404 TASK_NOT_FOUND"),
        (rest({"code": -32001, "message": "m", "type": "TaskNotFoundError"}), 404, "404 TaskNotFoundError"),
    ],
)
def test_answers_of_the_protocol_pass(asked: tuple[Sent, Any], status: int, outcome: str) -> None:
    assert judged(asked, status) == outcome


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (rpc(error=error(-32603)), 200),
        (rpc(error=error(-32603)), 500),
        (rpc(error=error(-32000)), 503),
        (rpc(error=error(-1)), 200),
        (rpc(result=TASK, error=error(-32001)), 200),
        (rpc(result={"nonsense": 1}), 200),
        (rest(REFUSAL), 400),
        (rest({"error": "m"}), 400),
        (rest({"code": -32603, "message": "m", "type": "InternalError"}), 400),
        (rest({"nonsense": 1}), 200),
    ],
)
def test_others_do_not(asked: tuple[Sent, Any], status: int) -> None:
    with pytest.raises(UnfitAnswer):
        judged(asked, status)


def test_a_page_is_no_answer() -> None:
    with pytest.raises(UnfitAnswer):
        judged(rest(b"<html>"), 404, "text/html")


def test_a_stream_is_judged_by_its_first_event() -> None:
    sent, body = rpc(error=error(-32603))
    frame = b"event: message\ndata: " + json.dumps(body).encode() + b"\n\n"
    with pytest.raises(UnfitAnswer):
        judged((sent, frame), 200, "text/event-stream")
