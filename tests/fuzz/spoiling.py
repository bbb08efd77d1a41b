"""How a good request is spoilt: in its values, its fields, and the text that it is written as."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.api.a2a.grpc.protos import VALUES
from tests.fuzz.shapes import Draw, Json

Place = tuple[Any, ...]
"""The keys and indexes that lead to a value."""

DEEP = 100_000
RAW = {
    "\u2603huge number": b"1e999",
    "\u2603many digits": b"9" * 5_000,
    "\u2603not a number": b"NaN",
    "\u2603infinite": b"-Infinity",
    "\u2603nested": b"[" * DEEP + b"]" * DEEP,
    "\u2603nested a little": b'{"a":' * 199 + b"1" + b"}" * 199,
    "\u2603not UTF-8": b'"\xff\xfe"',
    "\u2603control": b'"a\x01b"',
    "\u2603half an escape": b'"\\u12"',
    "\u2603huge text": b'"' + b"x" * 1_000_000 + b'"',
    "\u2603twice": b'{"text": "a", "text": 5, "kind": "text", "kind": "data"}',
}
"""What json.dumps does not write, by what stands in its place until then."""
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, 0, -1, 1.5, -0.0, 1e300, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**40,
        "", "a\0b", "\ud800", "\udfff\ud800", "\u202e", "x" * 201, "%00", "../..", "not base64!", "=", "YQ=", "\ufeff",
        [], {}, [None], [[]], [{}], {"": None}, {"a\0b": 1}, {"kind": "text"}, {"kind": "file", "file": {}},
        {"kind": ["x"]}, {"state": {}}, "TASK_STATE_UNSPECIFIED", "working", "9999-12-31T23:59:59.999999999Z",
        *RAW,
    ]
)  # fmt: skip
NAMES = st.sampled_from(["", "id", "taskId", "task_id", "kind", "text", "raw", "extra", "__proto__", "a\0b", "x" * 300])
WAYS = st.sampled_from(["odd", "odd", "odd", "any", "drop", "add", "rename", "double"])


def spoil(draw: Draw, value: Any) -> Any:
    """The value, changed at one place within it."""
    places = list(_places(value))
    place, way = draw(st.sampled_from(places)), draw(WAYS)
    if way in ("drop", "rename", "double") and not place:
        way = "odd"
    if way == "odd":
        return _put(value, place, draw(ODD))
    if way == "any":
        return _put(value, place, draw(VALUES))
    if way == "add":
        here = _at(value, place)
        return _put(value, place, {**here, draw(NAMES): draw(ODD)} if isinstance(here, dict) else [here, here])
    return _with_fields(value, place, way, draw(NAMES))


def _with_fields(value: Any, place: Place, way: str, name: str) -> Any:
    *above, last = place
    holder = _at(value, tuple(above))
    if isinstance(holder, list):
        changed: Any = [*holder[:last], *holder[last + 1 :]] if way == "drop" else holder * 2
    else:
        changed = {key: held for key, held in holder.items() if key != last or way == "double"}
        changed |= {} if way == "drop" else {name: holder[last]}
    return _put(value, tuple(above), changed)


def _places(value: Any, above: Place = ()) -> Iterator[Place]:
    yield above
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inner:
        yield from _places(held, (*above, key))


def _at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def _put(value: Any, place: Place, put: Any) -> Any:
    """A copy with `put` at the place."""
    if not place:
        return put
    key, *rest = place
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = _put(value[key], tuple(rest), put)
    return copy


def written(value: Any) -> bytes:
    """As JSON, with the unwritable in it (lone surrogates are written as escapes)."""
    text = json.dumps(value).encode()
    for stand_in, raw in RAW.items():
        text = text.replace(json.dumps(stand_in).encode(), raw)
    return text


def spoil_text(draw: Draw, text: bytes) -> bytes:
    """The body, cut off, cut into, or in another clothing."""
    at = draw(st.integers(0, max(0, len(text) - 1)))
    ways = {
        "cut": text[:at],
        "bytes": text[:at] + draw(st.binary(min_size=1, max_size=4)) + text[at + 1 :],
        "batch": b"[" + text + b"," + text + b"]",
        "twice": text + text,
        "marked": b"\xef\xbb\xbf" + text,
        "wide": text.decode("latin-1").encode("utf-16"),
        "empty": b"",
        "blank": b" \n\t",
        "form": b"message=hello&id=1",
        "trailing": text[:-1] + b",}",
        "single": text.replace(b'"', b"'"),
    }
    return ways[draw(st.sampled_from(list(ways)))]


def spoilt_body(draw: Draw, body: Json) -> bytes:
    """The body as it is in half of all cases; else spoilt once or twice, now and then in its text, too."""
    spoilt: Any = body
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        spoilt = spoil(draw, spoilt)
    text = written(spoilt)
    return spoil_text(draw, text) if draw(st.integers(0, 14)) == 7 else text
