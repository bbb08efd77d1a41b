"""What is refused, with the specified code, and makes no task: malformed bodies, wrong parameters, wrong callers."""

from typing import Any

import orjson
import pytest

from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.tasks.models import Task
from tests.api.a2a.client import Caller, Hand
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

SAID = {"role": "user", "messageId": "m1", "parts": [{"kind": "text", "text": "hi"}]}
SEND = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": SAID}}


def send(**changes: Any) -> bytes:
    return orjson.dumps({name: value for name, value in {**SEND, **changes}.items() if value is not ...})


def message(**changes: Any) -> bytes:
    said = {name: value for name, value in {**SAID, **changes}.items() if value is not ...}
    return send(params={"message": said})


BODIES = [
    pytest.param(b"", -32700, id="empty"),
    pytest.param(b"{", -32700, id="cut off"),
    pytest.param(b"\xff\xfe", -32700, id="not UTF-8"),
    pytest.param(b"[" * 100_000, -32700, id="nested deeply"),
    pytest.param(b'{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"x":NaN}}', -32700, id="NaN"),
    pytest.param(message(parts=[{"kind": "text", "text": "\0"}]), -32700, id="NUL"),
    pytest.param(
        b'{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":{"parts":[{"text":"\\ud800"}]}}}',
        -32700, id="lone surrogate",
    ),
    pytest.param(b"null", -32600, id="null"),
    pytest.param(b'"text"', -32600, id="string"),
    pytest.param(b"7", -32600, id="number"),
    pytest.param(b"[]", -32600, id="empty batch"),
    pytest.param(b"[" + orjson.dumps(SEND) + b"]", -32600, id="batch"),
    pytest.param(b"{}", -32600, id="empty object"),
    pytest.param(send(jsonrpc=...), -32600, id="no jsonrpc"),
    pytest.param(send(jsonrpc="1.0"), -32600, id="jsonrpc 1.0"),
    pytest.param(send(jsonrpc=2), -32600, id="jsonrpc number"),
    pytest.param(send(id={"a": 1}), -32600, id="object id"),
    pytest.param(send(id=[1]), -32600, id="list id"),
    pytest.param(send(id=True), -32600, id="boolean id"),
    pytest.param(send(id=1.5), -32600, id="fractional id"),
    pytest.param(send(id=...), -32600, id="no id"),
    pytest.param(send(method=...), -32600, id="no method"),
    pytest.param(send(method=7), -32600, id="number as method"),
    pytest.param(send(method=""), -32600, id="empty method"),
    pytest.param(send(method="message/destroy"), -32601, id="unknown method"),
    pytest.param(send(params=...), -32602, id="no params"),
    pytest.param(send(params=[1]), -32602, id="list params"),
    pytest.param(send(params="x"), -32602, id="text params"),
    pytest.param(send(params={}), -32602, id="no message"),
    pytest.param(send(params={"message": None}), -32602, id="null message"),
    pytest.param(send(params={"message": "hi"}), -32602, id="text message"),
    pytest.param(message(parts=...), -32602, id="no parts"),
    pytest.param(message(parts=[]), -32602, id="empty parts"),
    pytest.param(message(parts="hi"), -32602, id="text parts"),
    pytest.param(message(parts=["hi"]), -32602, id="text part"),
    pytest.param(message(parts=[{}]), -32602, id="empty part"),
    pytest.param(message(parts=[{"kind": "text"}]), -32602, id="text part without text"),
    pytest.param(message(parts=[{"kind": "text", "text": 7}]), -32602, id="number as text"),
    pytest.param(message(parts=[{"kind": "video", "text": "x"}]), -32602, id="unknown kind"),
    pytest.param(message(parts=[{"kind": "data", "text": "x"}]), -32602, id="kind contradicts"),
    pytest.param(message(parts=[{"text": "x", "data": {}}]), -32602, id="two contents"),
    pytest.param(message(parts=[{"text": "x", "metadata": 7}]), -32602, id="part metadata"),
    pytest.param(message(parts=[{"kind": "file", "file": {}}]), -32602, id="empty file"),
    pytest.param(message(parts=[{"raw": "%%%"}]), -32602, id="not base64"),
    pytest.param(message(parts=[{"text": "x"}] * 1001), -32602, id="too many parts"),
    pytest.param(message(parts=[{"text": "   "}]), -32602, id="blank"),
    pytest.param(message(parts=[{"text": "x" * 1_000_001}]), -32602, id="too long"),
    pytest.param(message(role="system"), -32602, id="role"),
    pytest.param(message(role=[1]), -32602, id="role list"),
    pytest.param(message(messageId=7), -32602, id="messageId number"),
    pytest.param(message(messageId="m" * 201), -32602, id="messageId too long"),
    pytest.param(message(contextId={}), -32602, id="contextId object"),
    pytest.param(message(taskId=7), -32602, id="taskId number"),
    pytest.param(message(taskId="01900000-0000-7000-8000-000000000000"), -32001, id="unknown task"),
    pytest.param(message(taskId="no uuid"), -32001, id="taskId of another making"),
    pytest.param(message(metadata="x"), -32602, id="metadata text"),
    pytest.param(message(extensions="x"), -32602, id="extensions text"),
    pytest.param(message(referenceTaskIds=[7]), -32602, id="references"),
    pytest.param(send(params={"message": SAID, "configuration": 7}), -32602, id="configuration"),
    pytest.param(send(params={"message": SAID, "configuration": {"blocking": "no"}}), -32602, id="blocking text"),
    pytest.param(
        send(params={"message": SAID, "configuration": {"blocking": True, "returnImmediately": True}}), -32602,
        id="blocking contradicts",
    ),
    pytest.param(send(params={"message": SAID, "configuration": {"historyLength": -1}}), -32602, id="history -1"),
    pytest.param(send(params={"message": SAID, "configuration": {"historyLength": "x"}}), -32602, id="history text"),
    pytest.param(
        send(params={"message": SAID, "configuration": {"acceptedOutputModes": "text/plain"}}), -32602,
        id="output modes that are no list",
    ),
    pytest.param(
        send(params={"message": SAID, "configuration": {"pushNotificationConfig": {"url": "http://10.0.0.1"}}}), -32602,
        id="push",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code"), BODIES)
async def test_bad_body_has_its_code_and_makes_nothing(ada: Caller, body: bytes, code: int) -> None:
    response = await ada.post(body)
    answer = response.json()
    assert (response.status_code, answer["jsonrpc"], answer["error"]["code"]) == (200, "2.0", code)
    assert answer["error"]["message"]
    assert "result" not in answer
    assert not await Task.objects.aexists()


@pytest.mark.parametrize("method", ["message/send", "SendMessage"])
async def test_each_version_has_its_own_shape_of_error(ada: Caller, method: str) -> None:
    error = (await ada.call(method, {}))["error"]
    assert error["code"] == -32602
    if method == "SendMessage":
        info, fields = error["data"]
        assert (info["reason"], info["domain"]) == ("INVALID_PARAMS", "a2a-protocol.org")
        assert all(isinstance(value, str) for value in info["metadata"].values())  # google.rpc.ErrorInfo
        assert fields["fieldViolations"][0]["field"] == "message"
    else:
        assert set(error) == {"code", "message"}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("tasks/get", {}, -32602),
        ("tasks/get", {"id": 7}, -32602),
        ("tasks/get", {"id": "none"}, -32001),
        ("tasks/get", {"id": "x", "historyLength": -1}, -32602),
        ("tasks/cancel", {}, -32602),
        ("tasks/cancel", {"id": "none"}, -32001),
        ("tasks/cancel", {"id": "01900000-0000-7000-8000-000000000000"}, -32001),
        ("GetTask", {"id": "none"}, -32001),
        ("CancelTask", {"id": "none"}, -32001),
        ("SubscribeToTask", {"id": "none"}, -32001),
        ("tasks/pushNotificationConfig/set", {"taskId": "x"}, -32602),
        ("tasks/pushNotificationConfig/get", {"id": "x"}, -32001),
        ("tasks/pushNotificationConfig/list", {"id": "x"}, -32001),
        ("tasks/pushNotificationConfig/delete", {"id": "x"}, -32001),
        ("CreateTaskPushNotificationConfig", {"taskId": "x"}, -32602),
        ("GetTaskPushNotificationConfig", {"taskId": "x"}, -32602),
        ("ListTaskPushNotificationConfigs", {"taskId": "x"}, -32001),
        ("DeleteTaskPushNotificationConfig", {"taskId": "x"}, -32602),
    ],
)
async def test_method_refuses_with_its_code(ada: Caller, method: str, params: object, code: int) -> None:
    assert await ada.code(method, params) == code


@pytest.mark.parametrize(
    ("version", "method", "code"),
    [("2.0", "SendMessage", -32009), ("0.3", "SendMessage", -32009), ("1.0", "message/send", -32603)],
)
async def test_version_that_is_not_the_methods_is_refused(ada: Caller, version: str, method: str, code: int) -> None:
    """0.3 has no code for it; its clients hear of an internal error, as the SDK's do."""
    assert await ada.code(method, {"message": SAID}, **{"A2A-Version": version}) == code
    assert not await Task.objects.aexists()


async def test_version_may_stand_in_the_query(ada: Caller) -> None:
    refused = await ada.post(SEND | {"method": "SendMessage"}, path="/a2a/jsonrpc?A2A-Version=2.0")
    assert refused.json()["error"]["code"] == -32009
    params = {"message": SAID, "configuration": {"returnImmediately": True}}
    taken = await ada.post(SEND | {"method": "SendMessage", "params": params}, path="/a2a/jsonrpc?A2A-Version=1.0")
    assert taken.json()["result"]["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"


async def test_other_media_type_is_refused(ada: Caller) -> None:
    refused = await ada.post(SEND, {"content-type": "text/plain"})
    assert refused.json()["error"]["code"] == -32005
    assert not await Task.objects.aexists()


async def test_ended_task_cannot_be_cancelled(ada: Caller, hand: Hand) -> None:
    task = await ada.send()
    await hand.finish(await hand.take())
    assert await ada.code("tasks/cancel", {"id": task["id"]}) == -32002
    assert (await Task.objects.aget()).state == "completed"


# Who may -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/a2a/jsonrpc", "/v1/a2a", "/"])
@pytest.mark.parametrize("token", ["", "wrong"])
async def test_without_a_good_token_nothing_happens(ada: Caller, path: str, token: str) -> None:
    nobody = Caller(token, path)
    refused = await nobody.post(SEND)
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/json")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.json()["error"]["code"] == -32000
    assert not await Task.objects.aexists()
    await nobody.http.aclose()


async def test_viewer_may_look_and_not_send(ada: Caller, cast: Cast) -> None:
    task = await ada.send()
    viewer = Caller(await in_database(cast.token, Role.VIEWER))
    assert (await viewer.result("tasks/get", {"id": task["id"]}))["id"] == task["id"]
    for method, params in (("message/send", {"message": SAID}), ("tasks/cancel", {"id": task["id"]})):
        refused = await viewer.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert (refused.status_code, refused.json()["id"]) == (403, 1)
    assert (await Task.objects.aget()).state == "pending"
    await viewer.http.aclose()


async def test_worker_may_neither(ada: Caller, cast: Cast) -> None:
    worker = Caller(await in_database(cast.token, Role.WORKER))
    assert (await worker.post(SEND)).status_code == 403
    assert not await Task.objects.aexists()
    await worker.http.aclose()


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "tasks/resubscribe", "GetTask", "CancelTask"])
async def test_other_workspaces_task_is_not_found(ada: Caller, cast: Cast, method: str) -> None:
    other = await in_database(cast.elsewhere)
    theirs = await in_database(other.task)
    if method == "tasks/resubscribe":
        ((_, answer),) = await ada.stream(method, {"id": str(theirs.id)})
        assert answer["error"]["code"] == -32001
    else:
        assert await ada.code(method, {"id": str(theirs.id)}) == -32001
    said = {"message": {**SAID, "taskId": str(theirs.id)}}
    assert await ada.code("message/send", said) == -32001
    assert (await Task.objects.aget()).last_seq == 1
