"""Push notification configs in both versions: made, shown, listed, deleted; refused with what was wrong."""

import asyncio
from typing import Any

import pytest
from a2a.compat.v0_3 import types as old
from a2a.types import ListTaskPushNotificationConfigsResponse, TaskPushNotificationConfig
from google.protobuf.json_format import ParseDict

from apps.a2a.models import PushConfig
from apps.a2a.push import CONFIGS_LIMIT
from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.tasks.models import Task
from tests.api.a2a.client import Caller, Hand, Json
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

SET, GET, LIST, DELETE = (f"tasks/pushNotificationConfig/{name}" for name in ("set", "get", "list", "delete"))
HOOK = "http://127.0.0.1:9/hook"


@pytest.fixture(autouse=True)
def _loopback_listed(settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = ["127.0.0.0/8"]


async def stored() -> list[PushConfig]:
    return await in_database(lambda: list(PushConfig.objects.order_by("created_at")))


async def make(ada: Caller, task_id: str, **config: Any) -> Json:
    return await ada.result("CreateTaskPushNotificationConfig", {"taskId": task_id, "url": HOOK, **config})


async def test_set_and_get_in_0_3(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    config = {"url": HOOK, "token": "t1", "authentication": {"schemes": ["Bearer"], "credentials": "c1"}}
    made = await ada.result(SET, {"taskId": task_id, "pushNotificationConfig": config})
    old.TaskPushNotificationConfig.model_validate(made)
    assert made == {"taskId": task_id, "pushNotificationConfig": {"id": "default", **config}}
    assert await ada.result(GET, {"id": task_id}) == made
    assert await ada.result(GET, {"id": task_id, "pushNotificationConfigId": "default"}) == made


async def test_create_and_get_in_1_0(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    made = await make(ada, task_id, id="mine", token="t1", authentication={"scheme": "Bearer", "credentials": "c1"})
    parsed = ParseDict(made, TaskPushNotificationConfig())
    assert (parsed.id, parsed.url, parsed.token) == ("mine", HOOK, "t1")
    assert (parsed.authentication.scheme, parsed.authentication.credentials) == ("Bearer", "c1")
    assert await ada.result("GetTaskPushNotificationConfig", {"taskId": task_id, "id": "mine"}) == made


async def test_a_config_is_the_same_seen_from_either_version(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    made = await make(ada, task_id, id="mine")
    seen = await ada.result(GET, {"id": task_id, "pushNotificationConfigId": "mine"})
    assert seen == {"taskId": task_id, "pushNotificationConfig": {"id": "mine", "url": made["url"]}}


async def test_setting_again_changes_it_and_keeps_its_place(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    await make(ada, task_id, id="mine", token="t1")
    (before,) = await stored()
    await make(ada, task_id, id="mine", url=f"{HOOK}2")
    (after,) = await stored()
    assert (after.pk, after.sent_seq) == (before.pk, before.sent_seq)
    assert (after.url, after.token) == (f"{HOOK}2", "")


async def test_without_ids_different_addresses_are_several_and_the_same_is_one(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    first = await make(ada, task_id)
    assert (await make(ada, task_id))["id"] == first["id"]
    assert (await make(ada, task_id, url=f"{HOOK}2"))["id"] != first["id"]
    assert len(await stored()) == 2


async def test_list_in_pages(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    for name in ("a", "b", "c"):
        await make(ada, task_id, id=name)
    first = await ada.result("ListTaskPushNotificationConfigs", {"taskId": task_id, "pageSize": 2})
    ParseDict(first, ListTaskPushNotificationConfigsResponse())
    rest = {"taskId": task_id, "pageSize": 2, "pageToken": first["nextPageToken"]}
    last = await ada.result("ListTaskPushNotificationConfigs", rest)
    assert [one["id"] for one in first["configs"] + last["configs"]] == ["a", "b", "c"]
    assert last["nextPageToken"] == ""
    listed: Any = await ada.result(LIST, {"id": task_id})
    assert [one["pushNotificationConfig"]["id"] for one in listed] == ["a", "b", "c"]


async def test_delete_answers_null_in_0_3_and_can_be_repeated(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    await make(ada, task_id, id="mine")
    await make(ada, task_id, id="other")
    for _ in range(2):
        answer = await ada.call(DELETE, {"id": task_id, "pushNotificationConfigId": "mine"})
        assert (answer["result"], "error" in answer) == (None, False)
    assert [config.config_id for config in await stored()] == ["other"]
    assert await ada.result("DeleteTaskPushNotificationConfig", {"taskId": task_id, "id": "other"}) == {}
    assert await stored() == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        (SET, {"taskId": "TASK", "pushNotificationConfig": {"url": HOOK}}),
        (GET, {"id": "TASK"}),
        (LIST, {"id": "TASK"}),
        (DELETE, {"id": "TASK", "pushNotificationConfigId": "a"}),
        ("CreateTaskPushNotificationConfig", {"taskId": "TASK", "url": HOOK}),
        ("GetTaskPushNotificationConfig", {"taskId": "TASK", "id": "a"}),
        ("ListTaskPushNotificationConfigs", {"taskId": "TASK"}),
        ("DeleteTaskPushNotificationConfig", {"taskId": "TASK", "id": "a"}),
    ],
)
async def test_other_workspaces_tasks_and_unknown_ones_are_not_found(
    ada: Caller, cast: Cast, method: str, params: Json
) -> None:
    theirs = await in_database(lambda: cast.elsewhere().task())
    for task_id in (str(theirs.id), "nothing"):
        said = {name: task_id if value == "TASK" else value for name, value in params.items()}
        assert await ada.code(method, said) == -32001
    assert await stored() == []


async def test_a_config_that_is_not_there_is_not_found(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    assert await ada.code(GET, {"id": task_id}) == -32001
    assert await ada.code("GetTaskPushNotificationConfig", {"taskId": task_id, "id": "x"}) == -32001


WRONG = [
    ({"url": None}, "url"),
    ({"url": 3}, "url"),
    ({"url": "ftp://example.com/"}, "url"),
    ({"url": "http://10.0.0.1/"}, "url"),
    ({"url": "http://169.254.169.254/latest/meta-data/"}, "url"),
    ({"url": "https://ada:secret@example.com/"}, "url"),
    ({"token": 3}, "token"),
    ({"token": "a\r\nx: y"}, "token"),
    ({"token": " a"}, "token"),
    ({"token": "x" * 5000}, "token"),
    ({"id": "x" * 300}, "id"),
    ({"id": 3}, "id"),
    ({"authentication": "Bearer"}, "authentication"),
    ({"authentication": {"scheme": "Bea rer"}}, "authentication.scheme"),
    ({"authentication": {"schemes": "Bearer"}}, "authentication.schemes"),
    ({"authentication": {"scheme": "Bearer", "credentials": "ü"}}, "authentication.credentials"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
async def test_what_is_wrong_is_named_and_nothing_stored(ada: Caller, changes: Json, field: str) -> None:
    task_id = (await ada.send())["id"]
    config = {"url": HOOK, **changes}
    for method, params, name in (
        ("CreateTaskPushNotificationConfig", {"taskId": task_id, **config}, field),
        (SET, {"taskId": task_id, "pushNotificationConfig": config}, f"pushNotificationConfig.{field}"),
    ):
        error = (await ada.call(method, params))["error"]
        assert error["code"] == -32602
        assert error["message"].startswith((f"{name}: ", f"{field}: "))
        assert "secret" not in str(error)
    assert await stored() == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("CreateTaskPushNotificationConfig", {"url": HOOK}),
        (SET, {"pushNotificationConfig": {"url": HOOK}}),
        (SET, {"taskId": "TASK", "pushNotificationConfig": 3}),
        ("GetTaskPushNotificationConfig", {"taskId": "TASK"}),
        ("GetTaskPushNotificationConfig", {}),
        (GET, {}),
        (LIST, {}),
        ("ListTaskPushNotificationConfigs", {"taskId": "TASK", "pageSize": 101}),
        ("ListTaskPushNotificationConfigs", {"taskId": "TASK", "pageSize": -1}),
        ("ListTaskPushNotificationConfigs", {"taskId": "TASK", "pageToken": "x"}),
        ("DeleteTaskPushNotificationConfig", {"taskId": "TASK"}),
    ],
)
async def test_incomplete_calls_are_invalid(ada: Caller, method: str, params: Json) -> None:
    task_id = (await ada.send())["id"]
    said = {name: task_id if value == "TASK" else value for name, value in params.items()}
    assert await ada.code(method, said) == -32602


async def test_a_task_has_a_bounded_number_of_configs(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    makes = [
        ada.call("CreateTaskPushNotificationConfig", {"taskId": task_id, "url": HOOK, "id": f"c{number}"})
        for number in range(CONFIGS_LIMIT + 3)
    ]
    answers = await asyncio.gather(*makes)
    assert [answer["error"]["code"] for answer in answers if "error" in answer] == [-32602] * 3
    assert len(await stored()) == CONFIGS_LIMIT
    (first, *_) = await stored()
    assert (await make(ada, task_id, id=first.config_id))["id"] == first.config_id


async def test_secrets_are_told_only_to_those_who_may_write(ada: Caller, cast: Cast) -> None:
    task_id = (await ada.send())["id"]
    await make(ada, task_id, id="a", token="t1", authentication={"scheme": "Bearer", "credentials": "c1"})
    viewer = Caller(await in_database(cast.token, Role.VIEWER))
    seen = await viewer.result("GetTaskPushNotificationConfig", {"taskId": task_id, "id": "a"})
    assert seen == {"taskId": task_id, "id": "a", "url": HOOK, "authentication": {"scheme": "Bearer"}}
    refused = await viewer.post(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "DeleteTaskPushNotificationConfig",
            "params": {"taskId": task_id, "id": "a"},
        }
    )
    assert refused.status_code == 403
    assert len(await stored()) == 1
    await viewer.http.aclose()


async def test_a_user_and_password_become_basic_credentials(ada: Caller) -> None:
    task_id = (await ada.send())["id"]
    made = await make(ada, task_id, authentication={"scheme": "Basic", "credentials": "ada:pw"})
    assert made["authentication"] == {"scheme": "Basic", "credentials": "YWRhOnB3"}


# With a message ------------------------------------------------------------------------------------------------------


def saying(message_id: str = "m1", **message: Any) -> Json:
    return {"role": "ROLE_USER", "messageId": message_id, "parts": [{"text": "hi"}], **message}


async def test_a_config_comes_along_with_a_message(ada: Caller) -> None:
    options = {"taskPushNotificationConfig": {"id": "mine", "url": HOOK}, "returnImmediately": True}
    sent = await ada.result("SendMessage", {"message": saying(), "configuration": options})
    task_id = sent["task"]["id"]
    found = await ada.result("GetTaskPushNotificationConfig", {"taskId": task_id, "id": "mine"})
    assert found == {"taskId": task_id, "id": "mine", "url": HOOK}
    (config,) = await stored()
    assert (config.version, config.sent_seq, config.due_at) == ("1.0", 1, None)


async def test_in_0_3_too(ada: Caller) -> None:
    said = {"role": "user", "messageId": "m1", "parts": [{"kind": "text", "text": "hi"}]}
    options = {"blocking": False, "pushNotificationConfig": {"url": HOOK}}
    task = await ada.result("message/send", {"message": said, "configuration": options})
    (config,) = await stored()
    assert (str(config.task_id), config.config_id, config.version) == (task["id"], "default", "0.3")


async def test_a_message_sent_again_makes_no_second_config(ada: Caller) -> None:
    options = {"taskPushNotificationConfig": {"url": HOOK}, "returnImmediately": True}
    params = {"message": saying(), "configuration": options}
    task_id = (await ada.result("SendMessage", params))["task"]["id"]
    await ada.result("SendMessage", params)
    (config,) = await stored()
    await ada.result("DeleteTaskPushNotificationConfig", {"taskId": task_id, "id": config.config_id})
    await ada.result("SendMessage", params)
    assert await stored() == []


async def test_a_reply_may_bring_a_config(ada: Caller, hand: Hand) -> None:
    task_id = (await ada.send())["id"]
    await hand.ask(await hand.take())
    options = {"taskPushNotificationConfig": {"url": HOOK}, "returnImmediately": True}
    await ada.result("SendMessage", {"message": saying(taskId=task_id), "configuration": options})
    (config,) = await stored()
    assert str(config.task_id) == task_id


@pytest.mark.parametrize("config", [{"url": "http://10.0.0.1/"}, {"url": ""}, {}, "x", {"url": HOOK, "token": 1}])
async def test_with_a_wrong_config_nothing_is_made(ada: Caller, config: object) -> None:
    options = {"taskPushNotificationConfig": config, "returnImmediately": True}
    assert await ada.code("SendMessage", {"message": saying(), "configuration": options}) == -32602
    assert (
        await ada.code("message/send", {"message": saying(), "configuration": {"pushNotificationConfig": config}})
        == -32602
    )
    assert await stored() == []
    assert await in_database(Task.objects.count) == 0
