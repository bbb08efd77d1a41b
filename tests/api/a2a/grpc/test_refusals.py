"""What gRPC's callers are told when they may not, or ask wrongly: A2A's statuses with their details (1.0 §10.6)."""

import base64
from typing import Any

import grpc
import pytest
from a2a.compat.v0_3 import a2a_v0_3_pb2 as old
from a2a.types import a2a_pb2 as new
from django.conf import settings
from django.db import OperationalError

from apps.accounts import admission
from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.core.extension import EXTENSION
from apps.tasks.models import Task
from tests.api.a2a.client import Hand
from tests.api.a2a.grpc.caller import GrpcCaller, Refused, refused, saying, saying_of_old
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
Code = grpc.StatusCode


async def tasks() -> int:
    return await in_database(Task.objects.count)


def reason(found: Refused) -> tuple[grpc.StatusCode, str, str]:
    assert found.status.code == found.code.value[0]
    assert found.status.message == found.message
    return found.code, found.info.reason, found.info.domain


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_without_a_token_nothing_happens(channel: grpc.aio.Channel, token: str) -> None:
    nobody = GrpcCaller(channel, token)
    for call in (
        nobody.call(nobody.new.SendMessage, saying("hi")),
        nobody.call(nobody.new.SendStreamingMessage, saying("hi")),
        nobody.call(nobody.old.SendMessage, saying_of_old("hi")),
    ):
        found = await refused(call)
        assert reason(found) == (Code.UNAUTHENTICATED, "UNAUTHENTICATED", "a2a-protocol.org")
        assert found.trailing["www-authenticate"].startswith("Bearer")
    assert await tasks() == 0


async def test_too_many_calls_and_too_many_streams_do_nothing(
    channel: grpc.aio.Channel, ada: GrpcCaller, settings: Any, fresh_counts: None
) -> None:
    settings.RATE_LIMITS = {"anonymous": "1/minute"}
    nobody = GrpcCaller(channel, "")
    await refused(nobody.call(nobody.new.SendMessage, saying("hi")))
    found = await refused(nobody.call(nobody.new.SendMessage, saying("hi")))
    assert reason(found) == (Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", "a2a-protocol.org")
    assert 1 <= int(found.trailing["retry-after"]) <= 60
    settings.MAX_STREAMS_PER_CALLER = 0
    found = await refused(ada.call(ada.new.SendStreamingMessage, saying("hi")))
    assert reason(found)[:2] == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
    assert await tasks() == 0


async def test_who_may_only_read_cannot_send(channel: grpc.aio.Channel, cast: Cast) -> None:
    vera = GrpcCaller(channel, await in_database(cast.token, Role.VIEWER))
    found = await refused(vera.call(vera.new.SendMessage, saying("hi")))
    assert found.code == Code.PERMISSION_DENIED
    assert "tasks:write" in found.message
    assert await tasks() == 0


async def test_other_workspaces_tasks_are_not_there(ada: GrpcCaller, cast: Cast) -> None:
    theirs = await in_database(lambda: cast.elsewhere().task())
    found = await refused(ada.get(str(theirs.id)))
    assert reason(found) == (Code.NOT_FOUND, "TASK_NOT_FOUND", "a2a-protocol.org")


async def test_with_authentication_off_everybody_may(channel: grpc.aio.Channel, settings: Any) -> None:
    settings.A2A_AUTH_ENABLED = False
    anybody = GrpcCaller(channel)
    assert (await anybody.send()).status.state == new.TASK_STATE_SUBMITTED


@pytest.mark.parametrize("version", ["1.0", "1.0.1", ""])
async def test_versions_that_fit(ada: GrpcCaller, version: str) -> None:
    call = ada.call(ada.new.SendMessage, saying("hi", at_once=True), ("a2a-version", version))
    assert (await call).task.id


@pytest.mark.parametrize("version", ["0.3", "2.0", "1", "nonsense"])
async def test_versions_that_do_not_fit(ada: GrpcCaller, version: str) -> None:
    found = await refused(ada.call(ada.new.SendMessage, saying("hi"), ("a2a-version", version)))
    assert reason(found) == (Code.FAILED_PRECONDITION, "VERSION_NOT_SUPPORTED", "a2a-protocol.org")
    assert await tasks() == 0


async def test_the_old_service_is_of_the_old_version(ada: GrpcCaller) -> None:
    found = await refused(ada.call(ada.old.SendMessage, saying_of_old("hi"), ("a2a-version", "1.0")))
    assert found.code == Code.FAILED_PRECONDITION
    call = ada.call(ada.old.SendMessage, saying_of_old("hi", at_once=True), ("a2a-version", "0.3"))
    assert (await call).task.id


async def test_wrong_fields_are_named(ada: GrpcCaller) -> None:
    found = await refused(ada.call(ada.new.SendMessage, new.SendMessageRequest()))
    assert reason(found) == (Code.INVALID_ARGUMENT, "INVALID_PARAMS", "a2a-protocol.org")
    assert found.fields == ["message"]


def badly(**message: Any) -> new.SendMessageRequest:
    return saying("hi", **message)


def with_metadata(value: Any) -> new.SendMessageRequest:
    request = saying("hi")
    request.message.metadata["odd"] = value
    return request


def nested(levels: int) -> new.SendMessageRequest:
    request = saying("hi")
    within = request.message.metadata
    for _ in range(levels):
        within = within.get_or_create_struct("k")
    return request


BAD: dict[str, new.SendMessageRequest] = {
    "no part": badly(parts=[]),
    "an empty part": badly(parts=[new.Part()]),
    "data without a value": badly(parts=[new.Part(data={})]),
    "an unknown role": badly(role=77),
    "a NUL in a text": badly(parts=[new.Part(text="a\0b")]),
    "a NUL in an id": badly(context_id="a\0b"),
    "not a number": with_metadata(float("nan")),
    "infinity": with_metadata(float("inf")),
    "too deep": nested(34),
    "much too deep": nested(200),
    "a long id": badly(message_id="m" * 10_000),
    "a long tenant": new.SendMessageRequest(tenant="t" * 1_000, message=saying("hi").message),
}


@pytest.mark.parametrize("request_", BAD.values(), ids=BAD.keys())
async def test_bad_requests_are_the_callers_fault(ada: GrpcCaller, request_: new.SendMessageRequest) -> None:
    for method in (ada.new.SendMessage, ada.new.SendStreamingMessage):
        found = await refused(ada.call(method, request_))
        assert (found.code, found.info.domain) == (Code.INVALID_ARGUMENT, "a2a-protocol.org")
    assert await tasks() == 0


OLD_BAD: dict[str, old.SendMessageRequest] = {
    "no message": old.SendMessageRequest(),
    "an empty part": saying_of_old("", content=[old.Part()]),
    "a file without content": saying_of_old("", content=[old.Part(file=old.FilePart(name="a"))]),
    "a NUL": saying_of_old("a\0b"),
    "a false marker of the SDK's": saying_of_old(
        "", content=[old.Part(data=old.DataPart(data={"a": 1}), metadata={"data_part_compat": True})]
    ),
}


@pytest.mark.parametrize("request_", OLD_BAD.values(), ids=OLD_BAD.keys())
async def test_bad_old_requests_too(ada: GrpcCaller, request_: old.SendMessageRequest) -> None:
    for method in (ada.old.SendMessage, ada.old.SendStreamingMessage):
        found = await refused(ada.call(method, request_))
        assert found.code == Code.INVALID_ARGUMENT, found.message
    assert await tasks() == 0


@pytest.mark.parametrize("name", ["", "tasks/", "nothing", "tasks/none"])
async def test_old_names_of_no_task(ada: GrpcCaller, name: str) -> None:
    for method, request in (
        (ada.old.GetTask, old.GetTaskRequest(name=name)),
        (ada.old.CancelTask, old.CancelTaskRequest(name=name)),
        (ada.old.TaskSubscription, old.TaskSubscriptionRequest(name=name)),
    ):
        assert (await refused(ada.call(method, request))).code in (Code.INVALID_ARGUMENT, Code.NOT_FOUND)


async def test_bytes_that_are_no_request(ada: GrpcCaller) -> None:
    send = ada.channel.unary_unary("/lf.a2a.v1.A2AService/SendMessage")
    for junk in (b"\xff\xff\xff", b"\x0a\x05\x0a\x03\xff\xfe\xfd"):
        found = await refused(ada.call(send, junk))
        assert reason(found) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST", "a2a-protocol.org")


async def test_methods_that_do_not_exist(ada: GrpcCaller) -> None:
    for path in ("/lf.a2a.v1.A2AService/Dance", "/lf.a2a.v2.A2AService/SendMessage"):
        assert (await refused(ada.call(ada.channel.unary_unary(path), b""))).code == Code.UNIMPLEMENTED


async def test_a_request_that_is_too_large(ada: GrpcCaller) -> None:
    huge = "x" * settings.MAX_BODY_BYTES
    assert (await refused(ada.call(ada.new.SendMessage, saying(huge)))).code == Code.RESOURCE_EXHAUSTED
    assert await tasks() == 0


async def test_a_long_refusal_fits_into_the_clients_metadata(ada: GrpcCaller) -> None:
    found = await refused(ada.get("\u20ac" * 190))
    assert found.code == Code.NOT_FOUND
    assert len(found.trailing["grpc-status-details-bin"]) < 8_192


async def test_what_has_ended_cannot_be_cancelled_or_followed(ada: GrpcCaller, hand: Hand) -> None:
    task = await ada.send()
    await hand.finish(await hand.take())
    cancel = ada.call(ada.new.CancelTask, new.CancelTaskRequest(id=task.id))
    assert reason(await refused(cancel))[:2] == (Code.FAILED_PRECONDITION, "TASK_NOT_CANCELABLE")
    follow = ada.call(ada.new.SubscribeToTask, new.SubscribeToTaskRequest(id=task.id))
    assert reason(await refused(follow))[:2] == (Code.FAILED_PRECONDITION, "UNSUPPORTED_OPERATION")
    more = ada.call(ada.new.SendMessage, saying("more", task_id=task.id))
    assert reason(await refused(more))[:2] == (Code.FAILED_PRECONDITION, "UNSUPPORTED_OPERATION")


async def test_a_database_that_is_away(ada: GrpcCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(admission, "in_database", away)
    found = await refused(ada.get("any"))
    assert (found.code, found.trailing["retry-after"]) == (Code.UNAVAILABLE, "1")


async def test_the_request_id_and_the_extensions_come_back(ada: GrpcCaller) -> None:
    sent = (("x-request-id", "r-1"), ("a2a-extensions", f"https://example.org/x, {EXTENSION}"))
    call = ada.call(ada.new.SendMessage, saying("hi", at_once=True), *sent)
    answered = dict(await call.initial_metadata())
    assert (answered["x-request-id"], answered["a2a-extensions"]) == ("r-1", EXTENSION)
    plain = ada.call(ada.new.GetTask, new.GetTaskRequest(id=(await call).task.id), ("x-request-id", "not plain!"))
    answered = dict(await plain.initial_metadata())
    assert (len(answered["x-request-id"]), "a2a-extensions" in answered) == (32, False)


@pytest.mark.parametrize("content", [b"\xff\xfe raw", base64.b64encode(b"as the SDK sends it")])
async def test_an_old_files_content_is_read_in_both_forms(ada: GrpcCaller, content: bytes) -> None:
    part = old.Part(file=old.FilePart(file_with_bytes=content, mime_type="application/octet-stream", name="a.bin"))
    request = saying_of_old("Look", at_once=True)
    request.request.content.append(part)
    task = (await ada.call(ada.old.SendMessage, request)).task
    got = await ada.call(ada.old.GetTask, old.GetTaskRequest(name=f"tasks/{task.id}"))
    told = got.history[0].content[1].file
    assert (told.name, told.mime_type) == ("a.bin", "application/octet-stream")
    assert base64.b64decode(told.file_with_bytes) in (content, b"as the SDK sends it")
