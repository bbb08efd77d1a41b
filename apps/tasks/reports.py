"""What a worker may report of its task: the kinds of events, and the shape of each. What is not in it is refused."""

from dataclasses import dataclass

from apps.tasks.errors import UnknownEventError
from apps.tasks.events import Data, Event

MAX_TEXT = 1_000_000
"""Characters of one text field of an event; longer ones are refused, workers cut them with a marker before."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a worker's event: its JSON types, and whether it must be there."""

    types: tuple[type, ...]
    required: bool = False
    one_of: tuple[str, ...] = ()


TEXT, WHOLE, NUMBER, FLAG, LIST, TABLE = (str,), (int,), (int, float), (bool,), (list,), (dict,)

WORKER_EVENTS: dict[str, dict[str, Field]] = {
    "status": {"message": Field(TEXT, required=True)},
    "output": {
        "type": Field(TEXT, one_of=("text", "reasoning", "stdout", "stderr")),
        "content": Field(TEXT, required=True),
    },
    "tool_use": {
        "tool": Field(TEXT, required=True),
        "args": Field(TABLE),
        "call_id": Field(TEXT),
        "title": Field(TEXT),
    },
    "tool_result": {
        "call_id": Field(TEXT),
        "tool": Field(TEXT),
        "status": Field(TEXT, one_of=("completed", "failed")),
        "output": Field(TEXT),
    },
    "file_change": {
        "action": Field(TEXT, required=True, one_of=("created", "modified", "deleted")),
        "path": Field(TEXT, required=True),
        "diff": Field(TEXT),
    },
    "artifact": {
        "artifact_id": Field(TEXT, required=True),
        "name": Field(TEXT),
        "description": Field(TEXT),
        "parts": Field(LIST, required=True),
        "append": Field(FLAG),
        "last_chunk": Field(FLAG),
        "metadata": Field(TABLE),
    },
    "usage": {
        "input_tokens": Field(WHOLE),
        "output_tokens": Field(WHOLE),
        "cached_input_tokens": Field(WHOLE),
        "cost_usd": Field(NUMBER),
        "model": Field(TEXT),
    },
    "session": {"session_id": Field(TEXT, required=True), "agent": Field(TEXT)},
    "input_required": {
        "question": Field(TEXT, required=True),
        "options": Field(LIST),
        "call_id": Field(TEXT),
        "diff": Field(TEXT),
        "auth": Field(FLAG),
    },
}
"""What a worker may report, and the shape of each kind (contract: Workers)."""


def from_worker(kind: object, data: object) -> Event:
    """The event a worker reported, checked against its schema; UnknownEventError names what is wrong."""
    fields = WORKER_EVENTS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise UnknownEventError(f"kind: {kind!r} is not one of {', '.join(WORKER_EVENTS)}.")
    if not isinstance(data, dict):
        raise UnknownEventError(f"data: an event of kind {kind} needs an object.")
    kept = {}
    for name, field in fields.items():
        value = data.get(name)
        if value is not None:
            fault = _fault(field, value)
            if fault:
                raise UnknownEventError(f"data.{name}: {fault} (an event of kind {kind}).")
            kept[name] = value
        elif field.required:
            raise UnknownEventError(f"data.{name}: an event of kind {kind} needs it.")
    if kind == "artifact":
        kept["parts"] = [_part(part, f"data.parts[{index}]") for index, part in enumerate(kept["parts"])]
    return Event(str(kind), kept)


PART_CONTENTS: dict[str, tuple[type, ...]] = {
    "text": TEXT, "data": (dict, list, str, int, float, bool), "url": TEXT, "file_id": TEXT,
}  # fmt: skip
"""What a part of an artifact holds, exactly one of these; `file_id` names a file that the worker has sent before."""
PART_NAMES = ("media_type", "filename")


def _part(part: object, name: str) -> Data:
    if not isinstance(part, dict):
        raise UnknownEventError(f"{name}: a part must be an object.")
    given = [field for field in PART_CONTENTS if part.get(field) is not None]
    if len(given) != 1:
        raise UnknownEventError(f"{name}: give exactly one of {', '.join(PART_CONTENTS)}.")
    fields = {given[0]: Field(PART_CONTENTS[given[0]]), **dict.fromkeys(PART_NAMES, Field(TEXT))}
    kept = {field: part[field] for field in fields if part.get(field) is not None}
    for field, value in kept.items():
        if fault := _fault(fields[field], value):
            raise UnknownEventError(f"{name}.{field}: {fault}.")
    return kept


def _fault(field: Field, value: object) -> str:
    """What is wrong with a field's value; empty when nothing is. JSON has no subtypes, so types are compared."""
    if type(value) not in field.types:
        return "has the wrong type"
    if field.one_of and value not in field.one_of:
        return f"give one of {', '.join(field.one_of)}"
    if isinstance(value, str):
        return f"is longer than {MAX_TEXT} characters" if len(value) > MAX_TEXT else ""
    if isinstance(value, int | float) and not 0 <= value < 2**53:
        return "must lie between 0 and 2^53"
    return ""
