"""Whether an answer is one that its binding may give, and what kind of outcome it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from a2a.compat.v0_3 import types as old_types
from a2a.utils.errors import A2A_ERROR_MAPPING, JSON_RPC_ERROR_CODE_MAP, InternalError, InvalidAgentResponseError
from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message_factory import GetMessageClass

from apps.a2a.operations import NEW, OLD
from tests.fuzz.calls import Sent
from tests.fuzz.shapes import NEW_METHODS, OLD_METHODS, Json

_OURS_TO_BLAME = {InternalError, InvalidAgentResponseError}
RPC_CODES = {code for kind, code in JSON_RPC_ERROR_CODE_MAP.items() if kind not in _OURS_TO_BLAME}
REASONS = {mapping.reason for kind, mapping in A2A_ERROR_MAPPING.items() if kind not in _OURS_TO_BLAME}
OLD_NAMES = {kind.__name__ for kind in JSON_RPC_ERROR_CODE_MAP if kind not in _OURS_TO_BLAME}
CONNECTION = {401: "UnauthenticatedError", 403: "ForbiddenError"}
OLD_CONNECTION = {*CONNECTION.values(), "WorkspaceForbiddenError"}
"""What is about the connection and not about A2A; nothing sent here may meet 429 or 503."""
NO_HTTP = b"Invalid HTTP request received."
"""What uvicorn says of what is no HTTP (methods and headers that do not exist, on a real socket)."""
OTHER_VERSION = "This is A2A "
"""How the refusal of a version begins. 0.3 has no code for it, and says that of an internal error."""

_OLD_RESULTS: Mapping[str, Any] = {
    "message/send": old_types.SendMessageSuccessResponse,
    "message/stream": old_types.SendStreamingMessageSuccessResponse,
    "tasks/get": old_types.GetTaskSuccessResponse,
    "tasks/cancel": old_types.CancelTaskSuccessResponse,
    "tasks/resubscribe": old_types.SendStreamingMessageSuccessResponse,
    "tasks/pushNotificationConfig/set": old_types.SetTaskPushNotificationConfigSuccessResponse,
    "tasks/pushNotificationConfig/get": old_types.GetTaskPushNotificationConfigSuccessResponse,
    "tasks/pushNotificationConfig/list": old_types.ListTaskPushNotificationConfigSuccessResponse,
    "tasks/pushNotificationConfig/delete": old_types.DeleteTaskPushNotificationConfigSuccessResponse,
    "agent/getAuthenticatedExtendedCard": old_types.GetAuthenticatedExtendedCardSuccessResponse,
}


@dataclass(frozen=True)
class Answer:
    """What came back; of a stream what came until its first event, or until it had been silent for a while."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def streams(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")


class UnfitAnswer(AssertionError):
    """An answer that the binding must not give."""


def outcome_of(sent: Sent, answer: Answer) -> str:
    """In a few words how the request ended; UnfitAnswer where it may not end so."""
    if answer.status >= 500:
        raise UnfitAnswer(f"status {answer.status}")
    if sent.verb == "HEAD" or (sent.binding == "JSON-RPC" and sent.verb == "GET"):
        return f"{sent.verb} {answer.status}"  # on JSON-RPC's addresses GET shows the card, or leads to the console
    if answer.streams:
        return _stream_outcome(sent, answer)
    if (answer.status, answer.body) == (400, NO_HTTP):
        return "no HTTP: 400"
    if not answer.headers.get("content-type", "").endswith("json"):
        raise UnfitAnswer(f"{answer.status} is no JSON but {answer.headers.get('content-type')}")
    body = orjson.loads(answer.body)
    before_a_lane = _refused_outside(answer, body)
    if before_a_lane:
        return before_a_lane
    # what is no POST is not JSON-RPC's, and on the agents' own addresses nobody's but REST's
    if sent.binding == "REST" or (sent.verb != "POST" and body.keys() == {"error"}):
        return _rest_outcome(sent, answer, body)
    return _rpc_outcome(sent, answer, body)


def _stream_outcome(sent: Sent, answer: Answer) -> str:
    if answer.status != 200:
        raise UnfitAnswer(f"a stream with status {answer.status}")
    for block in answer.body.decode().split("\n\n")[:-1]:
        fields = dict(line.partition(": ")[::2] for line in block.split("\n"))
        if "data" not in fields:
            continue
        data = orjson.loads(fields["data"])
        if sent.binding == "JSON-RPC":
            return f"stream: {_rpc_outcome(sent, answer, data)}"
        if fields["event"] == "error":
            return f"stream: {_rest_error(sent, data)[1]}"
        _check_message(sent, data, streamed=True)
        return "stream: answered"
    return "stream: silent"


def _refused_outside(answer: Answer, body: Any) -> str:
    """What is refused before any binding is asked (edge, gate, no such page) has the one shape of all: or empty."""
    if not (isinstance(body, dict) and body.keys() >= {"detail", "code"}):
        return ""
    if not 400 <= answer.status < 500:
        raise UnfitAnswer(f"a problem with status {answer.status}")
    return f"{answer.status} {body['code']}"


# JSON-RPC ------------------------------------------------------------------------------------------------------------


def _rpc_outcome(sent: Sent, answer: Answer, body: Any) -> str:
    if body.get("jsonrpc") != "2.0" or body.keys() not in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"}):
        raise UnfitAnswer(f"no JSON-RPC answer: {body.keys()}")
    if "error" in body:
        return _rpc_error(answer, body["error"])
    if answer.status != 200:
        raise UnfitAnswer(f"a result with status {answer.status}")
    if sent.version == OLD:
        _OLD_RESULTS[sent.method].model_validate(body)
    else:
        _check_message(sent, body["result"], streamed=answer.streams)
    return "answered"


def _rpc_error(answer: Answer, error: Json) -> str:
    code, message = error["code"], error["message"]
    if code == -32000 and answer.status in CONNECTION:
        return f"{answer.status} {CONNECTION[answer.status]}"
    foreign = code == JSON_RPC_ERROR_CODE_MAP[InternalError] and message.startswith(OTHER_VERSION)
    if (answer.status, code) == (405, -32601):
        return "405 -32601"
    if answer.status != 200 or not (code in RPC_CODES or foreign) or not message:
        raise UnfitAnswer(f"status {answer.status}, error {error}")
    return str(code)


# REST ----------------------------------------------------------------------------------------------------------------


def _rest_outcome(sent: Sent, answer: Answer, body: Any) -> str:
    if answer.status == 200:
        if "name" in body and "skills" in body:
            return "card"
        _check_message(sent, body, streamed=False)
        return "answered"
    if not 400 <= answer.status < 500:
        raise UnfitAnswer(f"status {answer.status}")
    said, name = _rest_error(sent, body)
    if said not in (answer.status, None):
        raise UnfitAnswer(f"status {answer.status}, but the body says {said}")
    return f"{answer.status} {name}"


def _rest_error(sent: Sent, body: Json) -> tuple[int | None, str]:
    """(the HTTP status that the body says, if it does; the name of the error) in either version's shape."""
    if body.keys() == {"code", "message", "type"}:
        if body["type"] not in OLD_NAMES | OLD_CONNECTION:
            raise UnfitAnswer(f"error {body}")
        return None, body["type"]
    error = body.get("error")
    if (
        body.keys() != {"error"}
        or not isinstance(error, dict)
        or error.keys() != {"code", "status", "message", "details"}
    ):
        raise UnfitAnswer(f"no refusal: {body}")
    reason = error["details"][0]["reason"]
    if reason not in REASONS | {"UNAUTHENTICATED", "FORBIDDEN", "WORKSPACE_FORBIDDEN"}:
        raise UnfitAnswer(f"error {error}")
    return error["code"], reason


def _check_message(sent: Sent, body: Any, *, streamed: bool) -> None:
    """The answer is what the protocol's definition says. A path may have been altered to that of another method."""
    methods = NEW_METHODS if sent.version == NEW else OLD_METHODS
    names = [sent.method] if sent.binding == "JSON-RPC" else methods
    kinds = [methods[name].output_type for name in names if methods[name].server_streaming == streamed]
    if not any(_is_a(kind, body) for kind in kinds):
        raise UnfitAnswer(f"not what {sent.method} answers")


def _is_a(kind: Descriptor, body: Any) -> bool:
    """Whether the JSON is that message. The card holds fields of both versions."""
    is_card = kind.name == "AgentCard"
    if is_card and not {"name", "skills"} <= body.keys():
        return False
    try:
        ParseDict(body, GetMessageClass(kind)(), ignore_unknown_fields=is_card)
    except ParseError:
        return False
    return True
