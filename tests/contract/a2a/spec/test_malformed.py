"""Malformed variants of the specification's requests: each binding names the same error, and nothing happens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from apps.tasks.models import Task
from tests.api.a2a.client import Caller, Hand
from tests.api.a2a.rest_client import RestCaller, refused
from tests.contract.a2a.spec.bindings import Json, Speaker

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

UNKNOWN = "01900000-0000-7000-8000-000000000000"
MESSAGE: Json = {"role": "ROLE_USER", "messageId": "m1", "parts": [{"text": "hi"}]}
OLD_MESSAGE: Json = {"kind": "message", "role": "user", "messageId": "m1", "parts": [{"kind": "text", "text": "hi"}]}
NOT_FOUND, PARAMS = "TaskNotFoundError", "InvalidParamsError"


@dataclass(frozen=True)
class Malformed:
    """`mistyped`: where fields have types, this cannot be said."""

    what: str
    method: str
    params: Json
    error: str = PARAMS
    mistyped: bool = False


def sent(what: str, error: str = PARAMS, *, mistyped: bool = True, **message: Any) -> Malformed:
    said = {name: value for name, value in {**MESSAGE, **message}.items() if value is not ...}
    return Malformed(what, "SendMessage", {"message": said}, error, mistyped)


def configured(what: str, **configuration: Any) -> Malformed:
    return Malformed(what, "SendMessage", {"message": MESSAGE, "configuration": configuration}, mistyped=True)


def on_task(what: str, error: str, task_id: str) -> Iterator[Malformed]:
    for method in ("GetTask", "CancelTask", "SubscribeToTask"):
        yield Malformed(f"{method} of {what}", method, {"id": task_id}, error)


MALFORMED = [
    Malformed("no message", "SendMessage", {}),
    Malformed("message is a text", "SendMessage", {"message": "hi"}, mistyped=True),
    Malformed("metadata are a list", "SendMessage", {"message": MESSAGE, "metadata": [1]}, mistyped=True),
    Malformed("stream of no message", "SendStreamingMessage", {}),
    Malformed("tenant is a number", "SendMessage", {"message": MESSAGE, "tenant": 7}, mistyped=True),
    sent("no parts", mistyped=False, parts=...),
    sent("empty parts", mistyped=False, parts=[]),
    sent("parts are a text", parts="hi"),
    sent("a part is a text", parts=["hi"]),
    sent("a part of nothing", mistyped=False, parts=[{}]),
    sent("a part of two things", parts=[{"text": "x", "url": "https://x"}]),
    sent("text is a number", parts=[{"text": 7}]),
    sent("raw is no base64", parts=[{"raw": "%%%"}]),
    sent("file name is a number", parts=[{"url": "https://x", "filename": 7}]),
    sent("part's metadata are a text", parts=[{"text": "x", "metadata": "x"}]),
    sent("blank text", mistyped=False, parts=[{"text": " "}]),
    sent("unknown role", role="ROLE_KING"),
    sent("role is a list", role=["ROLE_USER"]),
    sent("message's id is a number", messageId=7),
    sent("message's id is too long", mistyped=False, messageId="m" * 201),
    sent("context's id is an object", contextId={}),
    sent("references are a text", referenceTaskIds="t"),
    sent("extensions are numbers", extensions=[7]),
    sent("unknown task", NOT_FOUND, mistyped=False, taskId=UNKNOWN),
    sent("task's id of another making", NOT_FOUND, mistyped=False, taskId="task-1"),
    configured("negative history", historyLength=-1),
    configured("history is a text", historyLength="all"),
    configured("waits for a text", returnImmediately="no"),
    Malformed("configuration is a list", "SendMessage", {"message": MESSAGE, "configuration": [1]}, mistyped=True),
    *on_task("an unknown task", NOT_FOUND, UNKNOWN),
    *on_task("an id of another making", NOT_FOUND, "task-1"),
    *on_task("an id that is too long", PARAMS, "x" * 201),
    Malformed("negative history of a task", "GetTask", {"id": UNKNOWN, "historyLength": -1}),
    Malformed("unknown state", "ListTasks", {"status": "TASK_STATE_SLEEPY"}, mistyped=True),
    Malformed("page of none", "ListTasks", {"pageSize": -1}),
    Malformed("page of too many", "ListTasks", {"pageSize": 101}),
    Malformed("page that nobody gave", "ListTasks", {"pageToken": "%%%"}),
    Malformed("time that is none", "ListTasks", {"statusTimestampAfter": "yesterday"}, mistyped=True),
    Malformed("negative history of a list", "ListTasks", {"historyLength": -1}),
    Malformed("artifacts perhaps", "ListTasks", {"includeArtifacts": "perhaps"}, mistyped=True),
    Malformed("webhook of an unknown task", "CreateTaskPushNotificationConfig", {
        "taskId": UNKNOWN, "url": "https://93.184.216.34/a",
    }, NOT_FOUND),
    Malformed("webhook nowhere", "CreateTaskPushNotificationConfig", {"taskId": UNKNOWN}),
    Malformed("webhook at home", "CreateTaskPushNotificationConfig", {"taskId": UNKNOWN, "url": "http://127.0.0.1/"}),
    Malformed("webhook of no address", "CreateTaskPushNotificationConfig", {"taskId": UNKNOWN, "url": "x"}),
    Malformed("unknown webhook", "GetTaskPushNotificationConfig", {"taskId": UNKNOWN, "id": "c"}, NOT_FOUND),
    Malformed("webhooks of nothing", "ListTaskPushNotificationConfigs", {"taskId": UNKNOWN}, NOT_FOUND),
    Malformed("delete of nothing", "DeleteTaskPushNotificationConfig", {"taskId": UNKNOWN, "id": "c"}, NOT_FOUND),
]  # fmt: skip


async def errors(binding: Speaker, cases: list[Malformed]) -> dict[str, str]:
    """What each is refused with. Where fields have types, the client's own refuse what is mistyped."""
    said = [case for case in cases if not (case.mistyped and binding.typed)]
    return {case.what: await binding.refusal(case.method, case.params) for case in said}


def specified(binding: Speaker, cases: list[Malformed]) -> dict[str, str]:
    return {case.what: case.error for case in cases if not (case.mistyped and binding.typed)}


async def test_malformed_requests_of_1_0_have_the_specified_errors(binding: Speaker) -> None:
    assert await errors(binding, MALFORMED) == specified(binding, MALFORMED)
    assert not await Task.objects.aexists()


def old_sent(what: str, error: str = PARAMS, *, mistyped: bool = True, **message: Any) -> Malformed:
    said = {name: value for name, value in {**OLD_MESSAGE, **message}.items() if value is not ...}
    return Malformed(what, "SendMessage", {"message": said}, error, mistyped)


OLD_MALFORMED = [
    Malformed("no message", "SendMessage", {}, mistyped=True),
    Malformed("message is a text", "SendMessage", {"message": "hi"}, mistyped=True),
    Malformed("stream of no message", "SendStreamingMessage", {}, mistyped=True),
    old_sent("no parts", parts=...),
    old_sent("empty parts", mistyped=False, parts=[]),
    old_sent("unknown kind of part", parts=[{"kind": "video", "text": "x"}]),
    old_sent("kind contradicts", parts=[{"kind": "data", "text": "x"}]),
    old_sent("empty file", parts=[{"kind": "file", "file": {}}]),
    old_sent("unknown role", role="king"),
    old_sent("unknown task", NOT_FOUND, mistyped=False, taskId=UNKNOWN),
    Malformed("blocks perhaps", "SendMessage", {
        "message": OLD_MESSAGE, "configuration": {"blocking": "perhaps"},
    }, mistyped=True),
    *on_task("an unknown task", NOT_FOUND, UNKNOWN),
    *on_task("an id of another making", NOT_FOUND, "task-1"),
    Malformed("negative history of a task", "GetTask", {"id": UNKNOWN, "historyLength": -1}),
    Malformed("webhook of an unknown task", "CreateTaskPushNotificationConfig", {
        "taskId": UNKNOWN, "pushNotificationConfig": {"id": "c", "url": "https://93.184.216.34/a"},
    }, NOT_FOUND),
    Malformed("webhook at home", "CreateTaskPushNotificationConfig", {
        "taskId": UNKNOWN, "pushNotificationConfig": {"id": "c", "url": "http://127.0.0.1/"},
    }),
    Malformed("webhook nowhere", "CreateTaskPushNotificationConfig", {"taskId": UNKNOWN}, mistyped=True),
    Malformed("unknown webhook", "GetTaskPushNotificationConfig", {
        "id": UNKNOWN, "pushNotificationConfigId": "c",
    }, NOT_FOUND),
    Malformed("webhooks of nothing", "ListTaskPushNotificationConfigs", {"id": UNKNOWN}, NOT_FOUND),
    Malformed("delete of nothing", "DeleteTaskPushNotificationConfig", {
        "id": UNKNOWN, "pushNotificationConfigId": "c",
    }, NOT_FOUND),
]  # fmt: skip


async def test_malformed_requests_of_0_3_have_the_specified_errors(old_binding: Speaker) -> None:
    assert await errors(old_binding, OLD_MALFORMED) == specified(old_binding, OLD_MALFORMED)
    assert not await Task.objects.aexists()


# Wrong states --------------------------------------------------------------------------------------------------------

ENDED = [
    ("CancelTask", "TaskNotCancelableError"),
    ("SubscribeToTask", "UnsupportedOperationError"),
    ("SendMessage", "UnsupportedOperationError"),
]


def on(method: str, task_id: str, message: Json) -> Json:
    said = {**message, "messageId": "m2", "taskId": task_id}
    return {"message": said} if method == "SendMessage" else {"id": task_id}


async def ended(rest: RestCaller, hand: Hand) -> str:
    task = await rest.send()
    await hand.finish(await hand.take(), "done")
    return str(task["id"])


async def test_ended_task_refuses_in_1_0(binding: Speaker, rest: RestCaller, hand: Hand) -> None:
    task_id = await ended(rest, hand)
    for method, error in ENDED:
        assert await binding.refusal(method, on(method, task_id, MESSAGE)) == error
    assert (await Task.objects.aget()).result == "done"


async def test_ended_task_refuses_in_0_3(old_binding: Speaker, rest: RestCaller, hand: Hand) -> None:
    task_id = await ended(rest, hand)
    for method, error in ENDED:
        assert await old_binding.refusal(method, on(method, task_id, OLD_MESSAGE)) == error
    assert (await Task.objects.aget()).result == "done"


async def test_other_context_than_the_tasks_is_refused(binding: Speaker, rest: RestCaller) -> None:
    task = await rest.send()
    said = {**MESSAGE, "taskId": task["id"], "contextId": "another"}
    assert await binding.refusal("SendMessage", {"message": said}) == PARAMS


# What is wrong with the envelope -------------------------------------------------------------------------------------


def rpc(method: str = "GetTask", **changes: Any) -> bytes:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"id": UNKNOWN}} | changes
    return orjson.dumps({name: value for name, value in body.items() if value is not ...})


ENVELOPES: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"{", {}, -32700, "no JSON"),
    (rpc(jsonrpc="1.0"), {}, -32600, "jsonrpc 1.0"),
    (rpc(jsonrpc=...), {}, -32600, "no jsonrpc"),
    (rpc(method=...), {}, -32600, "no method"),
    (rpc(id={}), {}, -32600, "object as id"),
    (b"[]", {}, -32600, "batch"),
    (rpc("DestroyTask"), {}, -32601, "unknown method"),
    (rpc("tasks/list"), {}, -32601, "method of neither version"),
    (rpc(params=[1]), {}, -32602, "list of params"),
    (rpc(params=...), {}, -32602, "no params"),
    (rpc(params={}), {}, -32602, "no id"),
    (rpc(), {"content-type": "text/plain"}, -32005, "media type"),
    (rpc(), {"A2A-Version": "0.5"}, -32009, "version 0.5"),
    (rpc(), {"A2A-Version": "99.0"}, -32009, "version 99"),
    (rpc("tasks/get"), {"A2A-Version": "99.0"}, -32603, "version 99 of a method of 0.3"),
    (rpc(), {}, -32001, "unknown task"),
]


async def test_json_rpcs_envelope(ada: Caller) -> None:
    for body, headers, code, what in ENVELOPES:
        response = await ada.post(body, headers)
        assert (response.status_code, response.json()["error"]["code"]) == (200, code), what


REQUESTS: list[tuple[str, str, bytes | None, dict[str, str], tuple[int, str], str]] = [
    ("POST", "/message:send", b"{", {}, (400, "INVALID_REQUEST"), "no JSON"),
    ("POST", "/message:send", b"[]", {}, (400, "INVALID_REQUEST"), "list"),
    ("GET", "/nothing", None, {}, (404, "METHOD_NOT_FOUND"), "unknown path"),
    ("PUT", "/message:send", b"{}", {}, (405, "METHOD_NOT_FOUND"), "verb"),
    ("POST", "/message:send", b"{}", {"content-type": "text/plain"}, (400, "CONTENT_TYPE_NOT_SUPPORTED"), "media"),
    ("GET", "/tasks/x", None, {"A2A-Version": "0.5"}, (400, "VERSION_NOT_SUPPORTED"), "version 0.5"),
    ("GET", "/tasks/x", None, {"A2A-Version": "0.3"}, (400, "VERSION_NOT_SUPPORTED"), "version 0.3"),
    ("GET", "/tasks/x?A2A-Version=99.0", None, {}, (400, "VERSION_NOT_SUPPORTED"), "version 99"),
    ("GET", "/tasks?pageSize=x", None, {}, (400, "INVALID_PARAMS"), "page size"),
    ("GET", "/tasks/x", None, {}, (404, "TASK_NOT_FOUND"), "unknown task"),
    ("POST", "/v1/message:send", b"{", {}, (400, "JSONParseError"), "0.3: no JSON"),
    ("GET", "/v1/nothing", None, {}, (404, "MethodNotFoundError"), "0.3: unknown path"),
    ("GET", "/v1/tasks", None, {}, (404, "MethodNotFoundError"), "0.3: no list"),
    ("GET", "/v1/tasks/x", None, {}, (404, "TaskNotFoundError"), "0.3: unknown task"),
    ("GET", "/v1/tasks/x", None, {"A2A-Version": "1.0"}, (400, "VersionNotSupportedError"), "0.3: version"),
]


async def test_rests_envelope(rest: RestCaller) -> None:
    for verb, path, body, headers, answer, what in REQUESTS:
        assert refused(await rest.ask(verb, path, body, **headers)) == answer, what
