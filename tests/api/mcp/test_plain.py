"""MCP without a client: one call by POST, whatever it says it is, and reading by GET."""

import json
from typing import Any

import pytest

from apps.accounts.permissions import Role
from apps.audit.models import AuditEntry
from apps.tasks.models import Task
from tests.api.conftest import Api
from tests.factories import Cast

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Json = dict[str, Any]


def say(api: Api, method: str, path: str = "/mcp/v1/rpc", **params: Any) -> Json:
    """The answer to a call as `curl -d` sends it."""
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    answer = api.call("POST", path, content=body, headers=FORM)
    assert answer.status_code == 200, answer.text
    said: Json = answer.json()
    assert (said["jsonrpc"], said["id"]) == ("2.0", 7)
    return said


def call(api: Api, name: str, **arguments: Any) -> Json:
    result: Json = say(api, "tools/call", name=name, arguments=arguments)["result"]
    return result


def words(result: Json) -> list[str]:
    return [part["text"] for part in result["content"]]


@pytest.mark.parametrize("path", ["/mcp/v1/rpc", "/mcp/v1/message"])
def test_the_fields_of_a_result_stand_in_it_directly(api: Api, cast: Cast, path: str) -> None:
    task = cast.task()
    said = say(api, "tools/call", path, name="get_task", arguments={"task_id": str(task.id)})["result"]
    assert (said["status"], said["isError"]) == ("pending", False)
    assert said["structuredContent"].items() <= said.items()
    assert json.loads(said["content"][0]["text"])["status"] == "pending"


def test_a_task_is_made(api: Api) -> None:
    said = call(api, "create_task", title="Till", prompt="Mend it")
    assert said["status"] == "pending"
    assert Task.objects.get().prompt == "Mend it"


def test_the_tools_listed_are_those_that_the_caller_may_call(api: Api, cast: Cast) -> None:
    listed = {
        role: {tool["name"] for tool in say(api.bearing(cast.token(role)), "tools/list")["result"]["tools"]}
        for role in Role
    }
    assert {"get_task", "create_task"} <= listed[Role.OPERATOR] <= listed[Role.ADMIN]
    assert "get_task" in listed[Role.VIEWER]
    assert "create_task" not in listed[Role.VIEWER] | listed[Role.WORKER]
    by_get = api.get("/mcp/v1/tools").json()
    assert {tool["name"] for tool in by_get["tools"]} == listed[Role.OPERATOR]
    assert by_get["total"] == len(listed[Role.OPERATOR])


def test_a_tool_that_the_caller_may_not_call_does_nothing_and_is_noted(api: Api, cast: Cast) -> None:
    viewer = api.bearing(cast.token(Role.VIEWER))
    refused = call(viewer, "create_task", title="Till", prompt="Mend it")
    assert refused["isError"]
    assert words(refused)[0].startswith("forbidden: The tool create_task needs the scope 'tasks:write'")
    assert not Task.objects.exists()
    entry = AuditEntry.objects.get(outcome="refused")
    assert (entry.actor, entry.target, entry.details["status"]) == ("a viewer", "MCP create_task", 403)


def test_an_unknown_tool_is_an_error_of_the_protocol_that_names_similar_ones(api: Api) -> None:
    error = say(api, "tools/call", name="creat_task", arguments={})["error"]
    assert error["code"] == -32602
    assert "create_task" in error["message"]


def test_arguments_that_do_not_fit_are_named_with_the_next_step(api: Api) -> None:
    refused = call(api, "create_task", title=5)
    assert refused["isError"]
    (text,) = words(refused)
    assert text.startswith("invalid: ")
    assert "title: " in text
    assert "get_tool_schema" in text
    assert refused["_meta"]["codetether/error"]["code"] == "invalid"
    assert not Task.objects.exists()


def test_arguments_that_a_tool_does_not_take_are_named_and_let_pass(api: Api, cast: Cast) -> None:
    said = call(api, "get_task", task_id=str(cast.task().id), colour="red")
    assert said["status"] == "pending"
    assert words(said)[1:] == ["Ignored, since get_task does not take them: colour."]


def test_what_is_not_there_is_told_with_the_next_step(api: Api, cast: Cast) -> None:
    theirs = cast.elsewhere().task()
    refused = call(api, "get_task", task_id=str(theirs.id))
    assert words(refused) == ["task_not_found: There is no such task; list_tasks shows the tasks that there are."]


@pytest.mark.parametrize("said", [{"jsonrpc": "1.0"}, {"method": 5}, {"params": []}, {"id": [1]}, {"params": {}}])
def test_what_is_no_call_is_told_in_json_rpc(api: Api, said: Json) -> None:
    whole = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "create_task"}}
    answer = api.post("/mcp/v1/rpc", {**whole, **said})
    assert answer.json()["error"]["code"] in (-32600, -32602)
    assert not Task.objects.exists()


def test_other_methods_are_answered_as_at_the_address_of_clients(api: Api) -> None:
    assert say(api, "ping")["result"] == {}
    client = {"name": "curl", "version": "1"}
    greeted = say(api, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)["result"]
    assert (greeted["protocolVersion"], greeted["serverInfo"]["name"]) == ("2025-06-18", "codetether")
    assert say(api, "prompts/list")["result"]["prompts"] == []


def test_a_call_without_an_id_is_answered_too(api: Api) -> None:
    answer = api.post("/mcp/v1/rpc", {"method": "tools/list"}).json()
    assert answer["id"] is None
    assert answer["result"]["tools"]


def test_tasks_are_read_by_get_as_the_tools_tell_them(api: Api, cast: Cast) -> None:
    task, _ = cast.task(), cast.task("Paint the door")
    shown = api.get(f"/mcp/v1/tasks/{task.id}").json()
    assert shown == call(api, "get_task", task_id=str(task.id))["structuredContent"]
    listed = api.get("/mcp/v1/tasks", limit=1).json()
    assert listed == call(api, "list_tasks", limit=1)["structuredContent"]
    missing = api.get("/mcp/v1/tasks/none")
    assert (missing.status_code, missing.json()["code"]) == (404, "task_not_found")
