"""How 0.3's definition spells files, data and push configurations, and how its clients wrap them."""

import base64

import pytest
from a2a.compat.v0_3 import a2a_v0_3_pb2 as v03
from google.protobuf.json_format import ParseDict

from apps.a2a import legacy_proto
from apps.a2a.errors import refusal_of
from apps.core.errors import TooLargeError

Json = dict[str, object]

RAW = {"raw": base64.b64encode(b"\xff\x00").decode(), "mediaType": "a/b", "filename": "y"}


def test_file_of_the_python_client_is_in_base64_twice() -> None:
    once, twice = (legacy_proto.part(RAW, twice=twice)["file"]["fileWithBytes"] for twice in (False, True))
    assert (base64.b64decode(once), base64.b64decode(twice).decode()) == (b"\xff\x00", RAW["raw"])
    for wire, python in ((once, False), (twice, True), (once, True)):
        message = {"content": [{"file": {"fileWithBytes": wire, "name": "y"}}]}
        read = legacy_proto.read_send({"request": message}, twice=python)
        assert read["message"]["parts"] == [{"file": {"bytes": RAW["raw"], "name": "y"}}]


def test_data_that_is_no_object_is_wrapped_as_the_sdk_does() -> None:
    old = legacy_proto.part({"data": [1]})
    assert old == {"data": {"data": {"value": [1]}}, "metadata": {"data_part_compat": True}}


@pytest.mark.parametrize(
    "body",
    [
        {"parent": "tasks/t", "configId": "c", "config": {"name": "n", "pushNotificationConfig": {"url": "https://x"}}},
        {"name": "tasks/t/pushNotificationConfigs/c", "pushNotificationConfig": {"id": "c", "url": "https://x"}},
        {"push_notification_config": {"id": "c", "url": "https://x"}},
        {"id": "c", "url": "https://x"},
    ],
)
def test_push_configuration_in_any_wrapping(body: Json) -> None:
    read = legacy_proto.read_push(body)
    assert (read["id"], read["url"]) == ("c", "https://x")


def test_push_configuration_is_named_after_its_task() -> None:
    new = {"id": "c", "taskId": "t", "url": "https://x", "authentication": {"scheme": "Bearer", "credentials": "s"}}
    old = ParseDict(legacy_proto.push_configs({"configs": [new]}), v03.ListTaskPushNotificationConfigResponse())
    (config,) = old.configs
    assert config.name == "tasks/t/pushNotificationConfigs/c"
    assert config.push_notification_config.authentication.schemes == ["Bearer"]


def test_body_that_is_too_large_has_its_status() -> None:
    refusal = refusal_of(TooLargeError("Too large."))
    assert (refusal.name, refusal.http, refusal.http_old, refusal.status) == ("InvalidRequestError", 413, 413, 200)
