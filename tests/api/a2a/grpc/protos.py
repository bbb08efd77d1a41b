"""Requests of any method, made from the descriptors: what is right, what is wrong, and what is no request at all."""

import math
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from apps.a2a.grpc.services import SERVICES
from apps.core.extension import EXTENSION

METHODS: list[MethodDescriptor] = [method for service in SERVICES.values() for method in service.methods]
DEEPEST = 3
"""Levels of messages within messages; Structs go deeper by themselves."""

TEXTS = st.one_of(
    st.sampled_from(
        ["", "none", "tasks/none", "a\0b", "\u20ac" * 300, "../..", "http://127.0.0.1:1/", "TASK_STATE_COMPLETED"]
    ),
    st.text(max_size=20),
    st.integers(1, 60_000).map(lambda size: "x" * size),
)
NUMBERS = st.one_of(
    st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 1e300, 2.0**53, -0.0]), st.integers(-9, 9).map(float)
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
WHOLE = st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 10)


@dataclass(frozen=True)
class Case:
    """One call: the method's path, the bytes to send, whether a stream answers, and what goes along."""

    path: str
    raw: bytes
    streams: bool
    sent: tuple[tuple[str, str], ...]


@st.composite
def cases(draw: Any, ids: list[str]) -> Case:
    """Any call; `ids` are texts that mean something to the server."""
    method = draw(st.sampled_from(METHODS))
    texts = st.sampled_from([*ids, *(f"tasks/{one}" for one in ids)]) | TEXTS
    request = _fill(draw, GetMessageClass(method.input_type)(), texts)
    _perhaps_say(draw, request)
    if "tenant" in request.DESCRIPTOR.fields_by_name and draw(st.integers(0, 3)):
        request.ClearField("tenant")  # any other ends the call
    raw = request.SerializeToString()
    if draw(st.integers(0, 3)) == 3:
        raw = draw(spoilt(raw))
    return Case(f"/{method.containing_service.full_name}/{method.name}", raw, method.server_streaming, draw(SENT))


ODD = ["", "1", "9.9", "99999999999999999999", "x" * 500]
SENT = st.lists(
    st.one_of(
        st.tuples(st.just("a2a-version"), st.sampled_from(["1.0", "0.3", "1.0.1", *ODD])),
        st.tuples(st.just("a2a-extensions"), st.sampled_from([EXTENSION, f"{EXTENSION},,x", *ODD])),
        # Of a place that has been there a stream tells only what comes after, which here may be nothing.
        st.tuples(st.just("last-event-id"), st.sampled_from(["", "x", "9999", "-1", "1.x", "9" * 30])),
        st.tuples(st.just("x-request-id"), st.sampled_from(["r-1", "not plain!", *ODD])),
    ),
    max_size=2,
).map(tuple)


def spoilt(raw: bytes) -> st.SearchStrategy[bytes]:
    """The bytes cut off, or with others in their place."""
    places = st.integers(0, max(0, len(raw) - 1))
    return places.map(lambda at: raw[:at]) | st.builds(
        lambda at, put: raw[:at] + put + raw[at + len(put) :], places, st.binary(min_size=1, max_size=4)
    )


def _perhaps_say(draw: Any, request: Any) -> None:
    """Often, a message has something to say, so that what else it holds is looked at, too."""
    if request.DESCRIPTOR.name != "SendMessageRequest" or not draw(st.booleans()):
        return
    message = request.message if "message" in request.DESCRIPTOR.fields_by_name else request.request
    message.role = draw(st.integers(0, 2))
    parts = message.parts if "parts" in message.DESCRIPTOR.fields_by_name else message.content
    if draw(st.booleans()):
        del parts[:]
        message.ClearField("task_id")
    parts.add(text="Calculate 25 * 4")


def _fill(draw: Any, message: Any, texts: st.SearchStrategy[str], depth: int = 0) -> Any:
    """The message with some of its fields, whatever they may hold; in place, because copies are parsed again."""
    for field in message.DESCRIPTOR.fields:
        if not draw(st.booleans()) or (depth >= DEEPEST and field.message_type and not _is_value(field)):
            continue
        for _ in range(draw(st.integers(1, 3)) if field.is_repeated else 1):
            _put(draw, message, field, texts, depth)
    return message


def _put(draw: Any, message: Any, field: FieldDescriptor, texts: st.SearchStrategy[str], depth: int) -> None:
    here = getattr(message, field.name)
    if field.message_type is None:
        value = draw(_plain(field, texts))
        if field.is_repeated:
            here.append(value)
        else:
            setattr(message, field.name, value)
    elif _is_value(field):
        _put_value(draw, here, field.message_type.name)
    else:
        inner = here.add() if field.is_repeated else here
        inner.SetInParent()
        _fill(draw, inner, texts, depth + 1)


def _is_value(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is not None and not field.is_repeated and kind.full_name.startswith("google.protobuf.")


def _put_value(draw: Any, into: Any, kind: str) -> None:
    if kind == "Timestamp":
        into.seconds = draw(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2**31))
        into.nanos = draw(WHOLE)
        return
    struct = into.struct_value if kind == "Value" else into
    struct.update(draw(st.dictionaries(TEXTS, VALUES, max_size=3)))
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 5, 30, 33, 150]))):
        struct = struct.get_or_create_struct("down")


def _plain(field: FieldDescriptor, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_STRING:
        return texts
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=30) | st.sampled_from([b"", b"YQ==", b"x" * 50_000])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    return WHOLE
