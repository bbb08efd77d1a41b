"""Whatever a client sends as a push notification config: it is read, or refused with the field's name."""

import asyncio
from typing import Any

import pytest
from a2a.utils.errors import InvalidParamsError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.a2a.push_reading import read_create, read_inline, read_place

FIELDS = (
    "id", "taskId", "task_id", "url", "token", "authentication", "scheme", "schemes", "credentials",
    "pushNotificationConfig", "push_notification_config", "pushNotificationConfigId",
)  # fmt: skip
NESTED = (*FIELDS, "configuration", "taskPushNotificationConfig")
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(["http://10.0.0.1/x", "ftp://10.0.0.1/", "https://a b/", "Bearer", "Basic"]),
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NESTED), inner, max_size=4),
    max_leaves=8,
)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
bodies = st.dictionaries(st.sampled_from(NESTED), values, max_size=5)


@patient
@given(bodies, st.sampled_from(["0.3", "1.0"]))
def test_any_config_is_refused_by_name_or_read(params: dict[str, Any], version: str) -> None:
    refusal: Any = None  # no address among these may be called
    try:
        assert asyncio.run(read_inline(params, version)) is None
        asyncio.run(read_create(params, version))
    except InvalidParamsError as error:
        refusal = error
    assert refusal is not None
    assert refusal.data["errors"][0]["field"]


@patient
@given(bodies, st.sampled_from(["0.3", "1.0"]))
def test_any_place_is_refused_or_read(params: dict[str, Any], version: str) -> None:
    try:
        task_id, config_id = read_place(params, version)
    except InvalidParamsError:
        return
    assert task_id
    assert config_id or version == "0.3"


@pytest.mark.parametrize(
    ("params", "version", "place"),
    [
        ({"id": "t"}, "0.3", ("t", "")),
        ({"id": "t", "pushNotificationConfigId": "c"}, "0.3", ("t", "c")),
        ({"task_id": "t", "push_notification_config_id": "c"}, "0.3", ("t", "c")),
        ({"taskId": "t", "id": "c"}, "1.0", ("t", "c")),
        ({"task_id": "t", "id": "c"}, "1.0", ("t", "c")),
        ({"taskId": "t", "id": "c"}, "0.3", ("t", "c")),  # as 1.0's types carry it from gRPC's 0.3
    ],
)
def test_places_of_both_versions(params: dict[str, Any], version: str, place: tuple[str, str]) -> None:
    assert read_place(params, version) == place
