"""How good calls are spoilt: bodies that are none, wrong types of each field, ids of nothing, queries of nonsense."""

from collections.abc import Iterator
from typing import Any

from tests.api.good_calls import Json, Place, Route

DEEP = 100_000
HUGE = 10 * 1024 * 1024
OVERLONG = 1_000_001
BROKEN_BODIES: dict[str, bytes] = {
    "no JSON": b'{"title": ',
    "a string": b'"hello"',
    "a list": b"[1, 2]",
    "null": b"null",
    "a number": b"5",
    "no UTF-8": b'{"title": "\xff\xfe"}',
    "nesting": b"[" * DEEP + b"]" * DEEP,
    "nesting in an object": b'{"metadata": ' + b"[" * 500 + b"]" * 500 + b"}",
    "NaN": b'{"priority": NaN}',
    "a lone surrogate": b'{"title": "\\ud800", "message": "\\ud800"}',
    "10 MB": b'{"title": "' + b"x" * HUGE + b'"}',
}
WRONG: dict[type, list[Any]] = {
    str: [5, True, [], {}, ["x"]],
    bool: ["yes", 5, []],
    float: ["soon", -1, 10**12, [], {}, True],
    int: ["high", 2**31, 2**63, -(2**63), 1.5, [], {}],
    list: ["x", 5, {}, [5], [[]], [None]],
    dict: ["x", 5, [], [1]],
}
UNKNOWN_IDS = ["01a1fea9-d497-7583-8846-d59e1ec7af80", "nonsense", "%00", "%ff", "x" * 3000, "..%2f..", "-1"]
BAD_QUERIES = ["limit=x", "limit=-1", "offset=-1", "offset=99999999999999999999", "after_seq=x", "status=%00", "q=%00"]


def spoilt(route: Route, place: Place) -> Iterator[tuple[str, Json]]:
    """The good body with one field wrong, for each field and each wrong type of it."""
    assert route.good is not None
    good = route.good(place)
    for name, value in good.items():
        if name in route.free:
            continue
        for wrong in WRONG[type(value)]:
            yield f"{name}={wrong!r}", {**good, name: wrong}
        if isinstance(value, str):
            yield f"{name} over its limit", {**good, name: "x" * OVERLONG}
            if not route.mends:
                yield f"{name} with NUL", {**good, name: "a\0b"}
