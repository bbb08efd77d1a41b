"""The pieces that A2A's messages and artifacts are made of, and what each is in our log."""

import base64
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from apps.core.extension import EXTENSION
from apps.tasks.errors import UnknownEventError
from apps.tasks.services import event_from_worker

Json = dict[str, Any]

TEXT_TYPES = frozenset({"", "text/plain", "text/markdown"})
TEXT_LIMIT = 900_000
"""Characters of one event's text: longer ones are told in pieces."""
INLINE_LIMIT = 100_000
"""Bytes of a text file that go into the log as text; what is larger is stored as a file."""


def part_of(part: Json) -> Json:
    """A part of an artifact as our log has it. A file's bytes are under `content`, for who stores them."""
    named = {"media_type": part.get("mediaType", ""), "filename": part.get("filename", "")}
    kept = {name: value for name, value in named.items() if value}
    for name in ("text", "url", "data"):
        if name in part:
            content = part[name]
            if name == "text" and len(content) > TEXT_LIMIT:
                return {"content": content.encode(), **kept}
            return {name: content, **kept}
    return _file(part.get("raw", ""), part.get("mediaType", ""), kept)


def _file(raw: str, media_type: str, kept: Json) -> Json:
    """A file's content: short text as text, all else as bytes."""
    content = base64.b64decode(raw)
    if media_type.startswith("text/") and len(content) <= INLINE_LIMIT:
        with suppress(UnicodeDecodeError):
            return {"text": content.decode(), **kept}
    return {"content": content, **kept}


def text_of(message: Mapping[str, Any]) -> str:
    """The words of a message."""
    return "\n\n".join(part["text"] for part in message.get("parts", []) if part.get("text"))


def pieces(text: str) -> Iterable[str]:
    """The text in pieces that an event may hold."""
    return (text[begin : begin + TEXT_LIMIT] for begin in range(0, len(text), TEXT_LIMIT))


def clean[T](value: T) -> T:
    """The same without NUL characters, which no text here may hold."""
    made: Any = value
    if isinstance(value, str):
        made = value.replace("\0", "�") if "\0" in value else value
    elif isinstance(value, dict):
        made = {clean(name): clean(one) for name, one in value.items()}
    elif isinstance(value, list):
        made = [clean(one) for one in value]
    return made  # type: ignore[no-any-return]


def is_plain(part: Json) -> bool:
    """Whether a part is words, and not a file of text."""
    return part.get("mediaType", "").partition(";")[0] in TEXT_TYPES and not part.get("filename")


def ours_of(said: Json) -> Json:
    """What our extension says in the metadata of a task or an event."""
    found = said.get("metadata", {}).get(EXTENSION)
    return found if isinstance(found, dict) else {}


def options_of(message: Json) -> list[Json]:
    """The choices that CodeTether sends with a question."""
    for part in message.get("parts", []):
        data = part.get("data")
        listed = data.get("options") if isinstance(data, dict) else None
        if isinstance(listed, list) and all(isinstance(one, dict) for one in listed):
            return listed
    return []


def usage_of(said: object) -> Json:
    """The usage that our extension tells; empty for what is none."""
    if isinstance(said, dict):
        with suppress(UnknownEventError):
            return event_from_worker("usage", said).data
    return {}
