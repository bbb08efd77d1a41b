"""What the REST binding refuses, in each version's shape, and does nothing: requests, paths, callers, versions."""

import pytest

from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.tasks.models import Task
from tests.api.a2a.client import Caller, Hand, Json
from tests.api.a2a.rest_client import RestCaller, refused
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

NEW = {"message": {"role": "ROLE_USER", "messageId": "m1", "parts": [{"text": "hi"}]}}
OLD = {"request": {"role": "ROLE_USER", "messageId": "m1", "content": [{"text": "hi"}]}}
UNKNOWN = "01900000-0000-7000-8000-000000000000"


async def test_shape_of_1_0_is_a_status_of_google_rpc(rest: RestCaller) -> None:
    error = (await rest.ask("GET", "/tasks/none")).json()["error"]
    assert (error["code"], error["status"], error["message"]) == (404, "NOT_FOUND", "There is no such task.")
    (info,) = error["details"]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert (info["reason"], info["domain"]) == ("TASK_NOT_FOUND", "a2a-protocol.org")


async def test_wrong_field_is_named(rest: RestCaller) -> None:
    error = (await rest.ask("POST", "/message:send", {})).json()["error"]
    assert error["details"][1]["fieldViolations"][0]["field"] == "message"


async def test_shape_of_0_3_is_code_message_and_type(rest: RestCaller) -> None:
    body = (await rest.ask("GET", "/v1/tasks/none")).json()
    assert body == {"code": -32001, "message": "There is no such task.", "type": "TaskNotFoundError"}


BOTH = [
    pytest.param("GET", "/tasks/none", None, 404, "TaskNotFound", id="get no id"),
    pytest.param("GET", f"/tasks/{UNKNOWN}", None, 404, "TaskNotFound", id="get unknown"),
    pytest.param("GET", "/tasks/x?historyLength=-1", None, 400, "InvalidParams", id="history -1"),
    pytest.param("GET", "/tasks/x?historyLength=x", None, 400, "InvalidParams", id="history text"),
    pytest.param("GET", "/tasks/x?historyLength=99999999999", None, 400, "InvalidParams", id="history huge"),
    pytest.param("GET", f"/tasks/{'x' * 201}", None, 400, "InvalidParams", id="long id"),
    pytest.param("POST", f"/tasks/{UNKNOWN}:cancel", None, 404, "TaskNotFound", id="cancel unknown"),
    pytest.param("POST", f"/tasks/{UNKNOWN}:cancel", b"{", 400, "JSONParse", id="cancel no JSON"),
    pytest.param("POST", f"/tasks/{UNKNOWN}:cancel", [], 400, "InvalidRequest", id="cancel list"),
    pytest.param("GET", f"/tasks/{UNKNOWN}:subscribe", None, 404, "TaskNotFound", id="subscribe unknown"),
    pytest.param("POST", f"/tasks/{UNKNOWN}:subscribe", None, 404, "TaskNotFound", id="subscribe unknown by POST"),
    pytest.param("POST", "/message:send", None, 400, "InvalidRequest", id="send nothing"),
    pytest.param("POST", "/message:send", b"", 400, "InvalidRequest", id="send empty"),
    pytest.param("POST", "/message:send", b"{", 400, "JSONParse", id="send no JSON"),
    pytest.param("POST", "/message:send", b"\xff", 400, "JSONParse", id="send no UTF-8"),
    pytest.param("POST", "/message:send", b'{"a": "\\u0000"}', 400, "JSONParse", id="send NUL"),
    pytest.param("POST", "/message:send", b"7", 400, "InvalidRequest", id="send number"),
    pytest.param("POST", "/message:send", [NEW], 400, "InvalidRequest", id="send list"),
    pytest.param("POST", "/message:send", {}, 400, "InvalidParams", id="no message"),
    pytest.param("POST", "/message:send", {"message": "hi"}, 400, "InvalidParams", id="text message"),
    pytest.param("POST", "/message:send", {**NEW, "configuration": 7}, 400, "InvalidParams", id="configuration"),
    pytest.param("POST", "/message:send", {**NEW, "tenant": 7}, 400, "InvalidParams", id="tenant"),
    pytest.param("POST", "/message:stream", {}, 400, "InvalidParams", id="stream no message"),
    pytest.param("DELETE", "/tasks/x", None, 405, "MethodNotFound", id="verb"),
    pytest.param("GET", "/message:send", None, 405, "MethodNotFound", id="get of a post"),
    pytest.param("GET", "/nothing/there/at/all", None, 404, "MethodNotFound", id="no path"),
    pytest.param("GET", "/tasks/a/b", None, 404, "MethodNotFound", id="no path of a task"),
]
REASONS = {
    "TaskNotFound": "TASK_NOT_FOUND",
    "InvalidParams": "INVALID_PARAMS",
    "InvalidRequest": "INVALID_REQUEST",
    "JSONParse": "INVALID_REQUEST",
    "MethodNotFound": "METHOD_NOT_FOUND",
}


@pytest.mark.parametrize(("verb", "path", "body", "status", "name"), BOTH)
async def test_bad_request_is_refused_in_both_versions(
    rest: RestCaller, verb: str, path: str, body: object, status: int, name: str
) -> None:
    assert refused(await rest.ask(verb, path, body)) == (status, REASONS[name])
    assert refused(await rest.ask(verb, f"/v1{path}", body)) == (status, f"{name}Error")
    assert not await Task.objects.aexists()


@pytest.mark.parametrize(
    "part",
    [
        {"file": {}}, {"file": {"fileWithBytes": "%%%"}}, {"file": {"fileWithUri": 7}}, {"data": 7, "text": "x"},
        {"text": 7}, {}, 7,
    ],
)  # fmt: skip
async def test_bad_part_of_0_3_is_refused(rest: RestCaller, part: object) -> None:
    body = {"request": {**OLD["request"], "content": [part]}}
    for client in ("python-httpx/0.28", "node"):
        answer = await rest.ask("POST", "/v1/message:send", body, **{"user-agent": client})
        assert refused(answer) == (400, "InvalidParamsError")
    assert not await Task.objects.aexists()


async def test_ended_task_is_refused_as_each_version_says(rest: RestCaller, hand: Hand) -> None:
    task = await rest.send()
    await hand.finish(await hand.take())
    path = f"/tasks/{task['id']}"
    assert refused(await rest.ask("POST", f"{path}:cancel")) == (400, "TASK_NOT_CANCELABLE")
    assert refused(await rest.ask("POST", f"/v1{path}:cancel")) == (409, "TaskNotCancelableError")
    assert refused(await rest.ask("GET", f"{path}:subscribe")) == (400, "UNSUPPORTED_OPERATION")
    assert refused(await rest.ask("GET", f"/v1{path}:subscribe")) == (400, "UnsupportedOperationError")
    assert (await Task.objects.aget()).state == "completed"


async def test_body_that_names_another_task_is_refused(rest: RestCaller) -> None:
    task = await rest.send()
    assert refused(await rest.ask("POST", f"/tasks/{task['id']}:cancel", {"id": UNKNOWN})) == (400, "INVALID_PARAMS")
    assert (await Task.objects.aget()).state == "pending"


async def test_other_media_type_is_refused(rest: RestCaller) -> None:
    text = {"content-type": "text/plain"}
    answer = await rest.ask("POST", "/message:send", NEW, **text)
    assert refused(answer) == (400, "CONTENT_TYPE_NOT_SUPPORTED")
    assert refused(await rest.ask("POST", "/v1/message:send", OLD, **text)) == (415, "ContentTypeNotSupportedError")
    assert not await Task.objects.aexists()


async def test_refused_verb_tells_those_that_there_are(rest: RestCaller) -> None:
    for before in ("", "/v1", "/acme"):
        answer = await rest.ask("PATCH", f"{before}/tasks/x/pushNotificationConfigs")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_nothing_of_1_0_stands_under_v1(rest: RestCaller) -> None:
    """It would, as that of a tenant of this name."""
    assert refused(await rest.ask("GET", "/v1/extendedAgentCard")) == (404, "MethodNotFoundError")


# Who may -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", ["", "Bearer wrong"])
async def test_without_a_good_token_nothing_happens(rest: RestCaller, authorization: str) -> None:
    rest.http.headers["authorization"] = authorization
    answer = await rest.ask("POST", "/message:send", NEW)
    assert refused(answer) == (401, "UNAUTHENTICATED")
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    old = await rest.ask("POST", "/v1/message:send", OLD)
    assert (refused(old), old.json()["code"]) == ((401, "UnauthenticatedError"), -32000)
    assert not await Task.objects.aexists()


async def test_viewer_may_look_and_not_send(rest: RestCaller, cast: Cast) -> None:
    task = await rest.send()
    rest.http.headers["authorization"] = f"Bearer {await in_database(cast.token, Role.VIEWER)}"
    assert (await rest.get(f"/tasks/{task['id']}"))["id"] == task["id"]
    answer = await rest.ask("POST", "/message:send", NEW)
    assert (refused(answer)[0], answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert refused(await rest.ask("POST", f"/v1/tasks/{task['id']}:cancel"))[0] == 403
    assert (await Task.objects.aget()).state == "pending"


@pytest.mark.parametrize("before", ["", "/v1", "/default"])
async def test_other_workspaces_task_is_not_found(rest: RestCaller, cast: Cast, before: str) -> None:
    other = await in_database(cast.elsewhere)
    path = f"{before}/tasks/{(await in_database(other.task)).id}"
    for verb, what in (("GET", path), ("POST", f"{path}:cancel"), ("GET", f"{path}:subscribe")):
        assert refused(await rest.ask(verb, what))[0] == 404
    assert (await Task.objects.aget()).last_seq == 1


# Versions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0", "1.0.1", " 1.0 "])
async def test_path_of_1_0_takes_its_version(rest: RestCaller, version: str) -> None:
    body = {**NEW, "configuration": {"returnImmediately": True}}
    assert (await rest.post("/message:send", body, **{"A2A-Version": version}))["task"]
    assert (await rest.post(f"/message:send?A2A-Version={version}", body))["task"]


@pytest.mark.parametrize("version", ["0.3", "2.0", "1.1", "1", "x", "1.0, 0.3"])
async def test_path_of_1_0_refuses_any_other(rest: RestCaller, version: str) -> None:
    answer = await rest.ask("POST", "/message:send", NEW, **{"A2A-Version": version})
    assert refused(answer) == (400, "VERSION_NOT_SUPPORTED")
    assert refused(await rest.ask("POST", f"/message:send?A2A-Version={version}", NEW))[0] == 400
    assert not await Task.objects.aexists()


async def test_path_of_0_3_likewise(rest: RestCaller) -> None:
    body = {**OLD, "configuration": {}}
    assert (await rest.post("/v1/message:send", body, **{"A2A-Version": "0.3"}))["task"]
    answer = await rest.ask("POST", "/v1/message:send", body, **{"A2A-Version": "1.0"})
    assert refused(answer) == (400, "VersionNotSupportedError")
    assert await Task.objects.acount() == 1


# Extensions ----------------------------------------------------------------------------------------------------------

OURS = "https://codetether.run/a2a/extensions/task/v1"


async def test_extension_of_ours_is_named_as_active_and_others_are_passed_over(rest: RestCaller, ada: Caller) -> None:
    body: Json = {**NEW, "configuration": {"returnImmediately": True}}
    asked = {"A2A-Extensions": f"https://x.example/other, {OURS}"}
    assert (await rest.ask("POST", "/message:send", body, **asked)).headers["a2a-extensions"] == OURS
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": body}
    assert (await ada.post(rpc, asked)).headers["a2a-extensions"] == OURS


async def test_extension_is_named_in_0_3s_header_too(rest: RestCaller) -> None:
    answer = await rest.ask("GET", "/v1/card", **{"X-A2A-Extensions": OURS})
    assert answer.headers["x-a2a-extensions"] == OURS


async def test_stream_names_extensions_too(rest: RestCaller, hand: Hand) -> None:
    task = await rest.send()
    await hand.finish(await hand.take())
    asked = {"A2A-Extensions": OURS, "last-event-id": "1"}
    answer = await rest.ask("GET", f"/tasks/{task['id']}:subscribe", **asked)
    assert answer.headers["a2a-extensions"] == OURS


@pytest.mark.parametrize("asked", [{}, {"A2A-Extensions": "https://x.example/other"}, {"A2A-Extensions": ""}])
async def test_nothing_is_named_where_nothing_of_ours_was_asked(rest: RestCaller, asked: dict[str, str]) -> None:
    assert "a2a-extensions" not in (await rest.ask("GET", "/extendedAgentCard", **asked)).headers
