"""Parameters as the protocol defines them, as JSON: from the protobuf descriptors (1.0, and REST of 0.3) and from the
JSON schema of 0.3's types."""

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

from a2a.compat.v0_3 import a2a_v0_3_pb2 as old
from a2a.compat.v0_3 import types as old_types
from a2a.types import a2a_pb2 as new
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from hypothesis import strategies as st

from tests.api.a2a.grpc.protos import TEXTS, VALUES, WHOLE

Json = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
Texts = st.SearchStrategy[str]

DEEPEST = 4
NEW_METHODS: dict[str, MethodDescriptor] = dict(new.DESCRIPTOR.services_by_name["A2AService"].methods_by_name)
OLD_METHODS: dict[str, MethodDescriptor] = dict(old.DESCRIPTOR.services_by_name["A2AService"].methods_by_name)
TIMES = st.sampled_from(["2026-11-21T10:00:00Z", "2026-11-21T10:00:00.123456789+14:00", "9999-12-31T23:59:60Z", "0001"])
CONTENTS = st.binary(max_size=30) | st.sampled_from([b"", b"x" * 50_000])
FLAGS = st.booleans()
FEW = st.integers(1, 2)
STRUCTS = st.dictionaries(TEXTS, VALUES, max_size=2)
ADDRESSES = st.sampled_from(
    ["https://93.184.216.34/hook", "http://127.0.0.1/", "ftp://x", "http://[::1", "https://a\tb"]
)


# From descriptors ----------------------------------------------------------------------------------------------------


def from_descriptor(draw: Draw, kind: Descriptor, texts: Texts, depth: int = 0) -> Json:
    """Some of the message's fields, in either spelling that ProtoJSON allows; one member of each oneof."""
    real = [one for one in kind.oneofs if not one.name.startswith("_")]  # the others only say that a field may lack
    chosen = {draw(st.sampled_from([field.name for field in one.fields])) for one in real}
    filled: Json = {}
    for field in kind.fields:
        if field.containing_oneof in real and field.name not in chosen:
            continue
        if depth >= DEEPEST and field.message_type or not draw(FLAGS):
            continue
        name = field.json_name if draw(st.integers(0, 4)) != 2 else field.name
        if field.is_repeated:
            filled[name] = [_of_field(draw, field, texts, depth) for _ in range(draw(FEW))]
        else:
            filled[name] = _of_field(draw, field, texts, depth)
    return filled


def _of_field(draw: Draw, field: FieldDescriptor, texts: Texts, depth: int) -> Any:
    if field.enum_type:
        return draw(st.sampled_from([one.name for one in field.enum_type.values]))
    if field.message_type:
        known = {"Struct": STRUCTS, "Value": VALUES, "Timestamp": TIMES}.get(field.message_type.name)
        return from_descriptor(draw, field.message_type, texts, depth + 1) if known is None else draw(known)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(draw(CONTENTS)).decode()
    if field.type == FieldDescriptor.TYPE_BOOL:
        return draw(FLAGS)
    if field.type == FieldDescriptor.TYPE_STRING:
        return draw(ADDRESSES if field.name in ("url", "uri") else texts)
    return draw(WHOLE)


# From JSON schemas ---------------------------------------------------------------------------------------------------


@cache
def old_schemas() -> dict[str, Json]:
    """By method: the JSON schema of a whole request of 0.3, with the definitions that it refers to."""
    schema = old_types.A2ARequest.model_json_schema()
    requests = [one["$ref"].rpartition("/")[2] for one in schema.get("oneOf") or schema["anyOf"]]
    found = {schema["$defs"][name]["properties"]["method"]["const"]: schema["$defs"][name] for name in requests}
    return {method: {**request, "$defs": schema["$defs"]} for method, request in found.items()}


def old_params(draw: Draw, method: str, texts: Texts) -> Json:
    """The parameters of a method of 0.3's JSON-RPC binding."""
    schema = old_schemas()[method]
    params = schema["properties"].get("params", {"type": "object"})
    made: Json = _Schemas(schema["$defs"], texts).make(draw, params)
    return made


class _Schemas:
    """Values of the JSON schemas that pydantic makes."""

    def __init__(self, definitions: Json, texts: Texts) -> None:
        self.definitions = definitions
        self.texts = texts

    def make(self, draw: Draw, schema: Json, depth: int = 0) -> Any:
        if "$ref" in schema:
            return self.make(draw, self.definitions[schema["$ref"].rpartition("/")[2]], depth)
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return self.make(draw, draw(st.sampled_from(schema[several])), depth)
        if "const" in schema or "enum" in schema:
            return draw(st.sampled_from(schema.get("enum") or [schema["const"]]))
        kind = schema.get("type", "")
        if kind == "object":
            return self._object(draw, schema, depth)
        if kind == "array":
            return [self.make(draw, schema.get("items", {}), depth + 1) for _ in range(draw(FEW))]
        plain = {"string": self.texts, "integer": WHOLE, "number": WHOLE, "boolean": FLAGS, "null": st.none()}
        return draw(plain.get(kind, VALUES))

    def _object(self, draw: Draw, schema: Json, depth: int) -> Json:
        needed = schema.get("required", ())
        fields = schema.get("properties")
        if fields is None:
            found: Json = draw(STRUCTS)
            return found
        wanted = [name for name in fields if name in needed or (depth <= DEEPEST and draw(FLAGS))]
        return {name: self.make(draw, fields[name], depth + 1) for name in wanted}
