"""Push notifications reach a real receiver: in order, and in the version in which they were asked for."""

import asyncio

import pytest
from a2a.compat.v0_3 import types as old
from a2a.types import StreamResponse, TaskState
from google.protobuf.json_format import Parse

from apps.a2a import push_delivery
from apps.a2a.models import PushConfig
from apps.a2a.push_cursor import push_pending, push_totals
from apps.core.db import in_database
from apps.tasks.services import outbox_dispatch
from apps.tasks.states import State
from tests.api.a2a.push_stage import Stage, states
from tests.fakes.webhook import Call, receiving

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_a_task_is_told_of_in_order_and_once(stage: Stage) -> None:
    task_id = await stage.task()
    claim = await stage.hand.take()
    assert states(await stage.tell()) == ["working"]
    await stage.hand.say(claim, ("output", {"content": "chunk"}))
    await stage.hand.finish(claim, "done")
    assert states(await stage.tell()) == ["working", "artifact", "completed"]
    assert states(await stage.tell()) == ["working", "artifact", "completed"]
    config = await stage.config()
    assert (str(config.task_id), config.due_at, config.taken_until) == (task_id, None, None)


async def test_what_happened_meanwhile_is_told_whole(stage: Stage) -> None:
    await stage.task()
    claim = await stage.hand.take()
    await stage.hand.ask(claim)
    calls = await stage.tell()
    assert states(calls) == ["working", "input_required"]
    assert "Which one?" in calls[1].body.decode()


async def test_payloads_of_1_0_are_stream_responses(stage: Stage) -> None:
    task_id = await stage.task()
    await stage.hand.finish(await stage.hand.take(), "done")
    calls = await stage.tell()
    working, made, ended = (Parse(call.body, StreamResponse()) for call in calls)
    assert working.status_update.status.state == TaskState.TASK_STATE_WORKING
    assert made.artifact_update.artifact.parts[0].text == "done"
    assert (made.artifact_update.append, made.artifact_update.last_chunk) == (False, True)
    assert (ended.status_update.task_id, ended.status_update.status.message.parts[0].text) == (task_id, "done")
    assert {call.headers["content-type"] for call in calls} == {"application/a2a+json"}


async def test_payloads_of_0_3_are_tasks_as_they_were(stage: Stage) -> None:
    task_id = await stage.task("0.3")
    await stage.hand.finish(await stage.hand.take(), "done")
    calls = await stage.tell()
    working, ended = (old.Task.model_validate_json(call.body) for call in calls)
    assert (working.id, working.status.state, working.artifacts) == (task_id, "working", None)
    assert (ended.status.state, ended.artifacts[0].parts[0].root.text) == ("completed", "done")
    assert {call.headers["content-type"] for call in calls} == {"application/json"}


async def test_artifacts_are_told_whole_before_the_end(stage: Stage) -> None:
    await stage.task()
    claim = await stage.hand.take()
    chunk = {"artifact_id": "plan", "name": "plan", "parts": [{"text": "one "}]}
    await stage.hand.say(claim, ("artifact", chunk), ("artifact", chunk | {"parts": [{"text": "two"}], "append": True}))
    await stage.tell()
    await stage.hand.finish(claim, "done")
    calls = await stage.tell()
    assert states(calls) == ["working", "artifact", "artifact", "completed"]
    plan = calls[2].json["artifactUpdate"]
    assert (plan["artifact"]["artifactId"], [part["text"] for part in plan["artifact"]["parts"]]) == (
        "plan",
        ["one ", "two"],
    )


async def test_token_and_authentication_are_sent(stage: Stage) -> None:
    authentication = {"scheme": "Bearer", "credentials": "c1"}
    await stage.task(token="t1", authentication=authentication)
    await stage.hand.take()
    (call,) = await stage.tell()
    assert call.headers["x-a2a-notification-token"] == "t1"
    assert call.headers["authorization"] == "Bearer c1"


async def test_each_notification_has_a_key_of_its_own(stage: Stage) -> None:
    task_id = await stage.task()
    await stage.hand.finish(await stage.hand.take(), "done")
    keys = [call.headers["idempotency-key"] for call in await stage.tell()]
    assert keys == [f"{task_id}:2", f"{task_id}:3.0", f"{task_id}:3"]


async def test_news_that_come_while_one_is_told_are_told_next(stage: Stage) -> None:
    task_id = await stage.task()
    claim = await stage.hand.take()
    await in_database(outbox_dispatch)

    async def meanwhile(call: Call, writer: asyncio.StreamWriter) -> None:
        await stage.hand.finish(claim, "done")
        await in_database(outbox_dispatch)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    stage.hook.answers = [meanwhile]
    await push_delivery.deliver_due()
    assert states(stage.hook.calls) == ["working", "artifact", "completed"]
    assert {call.json.popitem()[1]["taskId"] for call in stage.hook.calls} == {task_id}


async def test_several_configs_each_have_their_own_place(stage: Stage) -> None:
    async with receiving() as broken:
        broken.answers = [500]
        task_id = await stage.task(id="a")
        other = {"taskId": task_id, "id": "b", "url": broken.url()}
        await stage.ada.result("CreateTaskPushNotificationConfig", other)
        await stage.hand.take()
        await stage.tell()
        assert (len(stage.hook.calls), len(broken.calls)) == (1, 1)
        await stage.due_again()
        await stage.tell()
        assert (len(stage.hook.calls), len(broken.calls)) == (1, 2)


async def test_a_deleted_config_hears_no_more(stage: Stage) -> None:
    task_id = await stage.task(id="a")
    claim = await stage.hand.take()
    await stage.tell()
    await stage.ada.result("DeleteTaskPushNotificationConfig", {"taskId": task_id, "id": "a"})
    await stage.hand.finish(claim, "done")
    assert len(await stage.tell()) == 1


async def test_deleted_while_it_is_told_the_rest_is_not_sent(stage: Stage) -> None:
    await stage.task(id="a")
    await stage.hand.finish(await stage.hand.take(), "done")

    async def delete(call: Call, writer: asyncio.StreamWriter) -> None:
        await in_database(PushConfig.objects.all().delete)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    stage.hook.answers = [delete]
    assert states(await stage.tell()) == ["working"]


async def test_a_config_made_after_the_end_hears_of_the_end(stage: Stage) -> None:
    task_id = (await stage.ada.send())["id"]
    await stage.hand.finish(await stage.hand.take(), "done")
    await in_database(outbox_dispatch)
    await stage.ada.result("CreateTaskPushNotificationConfig", {"taskId": task_id, "url": stage.hook.url()})
    assert states(await stage.tell()) == ["artifact", "completed"]


async def test_a_config_made_in_between_hears_of_what_follows(stage: Stage) -> None:
    task_id = (await stage.ada.send())["id"]
    claim = await stage.hand.take()
    await stage.ada.result("CreateTaskPushNotificationConfig", {"taskId": task_id, "url": stage.hook.url()})
    assert await stage.tell() == []
    await stage.hand.finish(claim, "done", status=State.FAILED, error="broke")
    assert states(await stage.tell())[-1] == "failed"


async def test_what_is_sent_and_waits_is_counted(stage: Stage) -> None:
    await stage.task()
    await stage.hand.take()
    assert await in_database(push_pending) == 0
    await in_database(outbox_dispatch)
    assert await in_database(push_pending) == 1
    await stage.tell()
    assert (await in_database(push_pending), await in_database(push_totals)) == (
        0,
        {"sent": 1, "failed": 0, "given_up": 0},
    )


async def test_tasks_without_a_config_tell_nobody(stage: Stage) -> None:
    await stage.task()
    await stage.ada.send()
    await stage.hand.take()
    await stage.hand.take()
    assert len(await stage.tell()) == 1
