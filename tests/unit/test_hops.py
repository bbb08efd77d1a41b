"""How often a message was passed on: counted, bounded, and told with the way that it took."""

from typing import Any

import pytest
from a2a.utils.errors import InvalidParamsError

from apps.a2a.incoming import read_send
from apps.core.extension import EXTENSION
from apps.federation.hops import hops_of, passed_on


def send(hops: Any) -> dict[str, Any]:
    parts = [{"text": "hi"}]
    return {"message": {"messageId": "m", "role": "ROLE_USER", "parts": parts, "metadata": {EXTENSION: {"hops": hops}}}}


@pytest.mark.parametrize(
    ("metadata", "hops"),
    [
        ({}, 0),
        ({EXTENSION: {}}, 0),
        ({EXTENSION: "x"}, 0),
        ({EXTENSION: {"hops": 3}}, 3),
        ({EXTENSION: {"hops": 3.0}}, 3),
    ],
)
def test_hops_are_read(metadata: dict[str, Any], hops: int) -> None:
    assert hops_of(metadata) == hops


@pytest.mark.parametrize("hops", [-1, 1.5, "2", True, None, []])
def test_what_is_no_count_is_refused(hops: Any) -> None:
    with pytest.raises(InvalidParamsError, match="hops"):
        read_send(send(hops))


def test_each_passing_on_adds_one_and_its_installation(settings: Any) -> None:
    first = passed_on({})
    settings.SECRET_KEY = "of another installation, " + "x" * 30
    second = passed_on({EXTENSION: first})
    assert (first["hops"], second["hops"]) == (1, 2)
    assert second["via"][0] == first["via"][0] != second["via"][1]
    assert settings.SECRET_KEY not in str(second)


def test_way_that_is_nonsense_begins_anew() -> None:
    assert len(passed_on({EXTENSION: {"via": ["a", 3, "b"]}})["via"]) == 3
    assert len(passed_on({EXTENSION: {"via": "a"}})["via"]) == 1


def test_message_may_be_passed_on_so_often_and_no_more(settings: Any) -> None:
    settings.A2A_MAX_HOPS = 2
    assert read_send(send(2)).metadata[EXTENSION] == {"hops": 2}
    with pytest.raises(InvalidParamsError, match="A2A_MAX_HOPS=2"):
        read_send(send(3))
