"""Push notification configs by gRPC, in both versions: made, shown, listed, deleted."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from a2a.compat.v0_3 import a2a_v0_3_pb2 as old
from a2a.types import a2a_pb2 as new

from apps.accounts.permissions import Role
from apps.core.db import in_database
from tests.api.a2a.grpc.caller import GrpcCaller, refused, saying
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
HOOK = "https://93.184.216.34/hook"


async def make(ada: GrpcCaller, task_id: str, config_id: str) -> Any:
    config = new.TaskPushNotificationConfig(task_id=task_id, id=config_id, url=HOOK, token="t1")
    config.authentication.scheme, config.authentication.credentials = "Bearer", "c1"
    return await ada.call(ada.new.CreateTaskPushNotificationConfig, config)


async def ids(ada: GrpcCaller, task_id: str) -> list[str]:
    request = new.ListTaskPushNotificationConfigsRequest(task_id=task_id)
    listed = await ada.call(ada.new.ListTaskPushNotificationConfigs, request)
    return [config.id for config in listed.configs]


async def test_configs_are_made_shown_listed_and_deleted(ada: GrpcCaller) -> None:
    task = await ada.send()
    made = [await make(ada, task.id, config_id) for config_id in ("a", "b")]
    assert [(one.task_id, one.id, one.url) for one in made] == [(task.id, "a", HOOK), (task.id, "b", HOOK)]
    place = new.GetTaskPushNotificationConfigRequest(task_id=task.id, id="a")
    assert (await ada.call(ada.new.GetTaskPushNotificationConfig, place)).url == HOOK
    assert await ids(ada, task.id) == ["a", "b"]
    gone = new.DeleteTaskPushNotificationConfigRequest(task_id=task.id, id="a")
    await ada.call(ada.new.DeleteTaskPushNotificationConfig, gone)
    assert await ids(ada, task.id) == ["b"]


async def test_the_same_in_the_old_version(ada: GrpcCaller) -> None:
    task = await ada.send_old()
    config = old.PushNotificationConfig(url=HOOK)  # its id stands beside it
    request = old.CreateTaskPushNotificationConfigRequest(
        parent=f"tasks/{task.id}", config_id="a", config=old.TaskPushNotificationConfig(push_notification_config=config)
    )
    request.config.name = f"tasks/{task.id}/pushNotificationConfigs/a"
    made = await ada.call(ada.old.CreateTaskPushNotificationConfig, request)
    assert (made.name, made.push_notification_config.url) == (f"tasks/{task.id}/pushNotificationConfigs/a", HOOK)
    got = await ada.call(
        ada.old.GetTaskPushNotificationConfig, old.GetTaskPushNotificationConfigRequest(name=made.name)
    )
    assert got.push_notification_config.id == "a"
    listing = old.ListTaskPushNotificationConfigRequest(parent=f"tasks/{task.id}")
    assert len((await ada.call(ada.old.ListTaskPushNotificationConfig, listing)).configs) == 1
    await ada.call(
        ada.old.DeleteTaskPushNotificationConfig, old.DeleteTaskPushNotificationConfigRequest(name=made.name)
    )
    assert await ids(ada, task.id) == []


async def test_a_config_comes_along_with_a_message(ada: GrpcCaller) -> None:
    request = saying("hi", at_once=True)
    request.configuration.task_push_notification_config.url = HOOK
    task = (await ada.call(ada.new.SendMessage, request)).task
    assert len(await ids(ada, task.id)) == 1


async def test_an_address_inside_is_refused(ada: GrpcCaller) -> None:
    task = await ada.send()
    config = new.TaskPushNotificationConfig(task_id=task.id, url="http://10.0.0.1/")
    found = await refused(ada.call(ada.new.CreateTaskPushNotificationConfig, config))
    assert (found.code, found.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["url"])
    assert await ids(ada, task.id) == []


async def test_a_task_that_is_not_there(ada: GrpcCaller) -> None:
    with_none: list[Callable[[], Awaitable[Any]]] = [
        lambda: make(ada, "none", "a"),
        lambda: ids(ada, "none"),
    ]
    for call in with_none:
        assert (await refused(call())).code == grpc.StatusCode.NOT_FOUND


async def test_who_may_only_read_makes_no_config(ada: GrpcCaller, channel: grpc.aio.Channel, cast: Cast) -> None:
    task = await ada.send()
    vera = GrpcCaller(channel, await in_database(cast.token, Role.VIEWER))
    assert (await refused(make(vera, task.id, "a"))).code == grpc.StatusCode.PERMISSION_DENIED
    assert await ids(ada, task.id) == []
