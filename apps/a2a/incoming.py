"""What clients send, read leniently: both versions' spellings, and those of the documented quick starts.

One reader serves A2A 0.3 and 1.0: a part of either version can be told from its own fields, and ProtoJSON allows
camelCase and snake_case alike. What is read is given on in the 1.0 spelling. Anything that contradicts the
specification is an InvalidParamsError that names the field; nothing is guessed.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from a2a.utils.errors import InvalidParamsError
from django.conf import settings

from apps.a2a.push_wish import PushWish
from apps.federation.hops import hops_of

Json = dict[str, Any]

USER, AGENT = "ROLE_USER", "ROLE_AGENT"
ROLES = {"user": USER, "agent": AGENT, USER: USER, AGENT: AGENT}
ID_LIMIT = 200
PARTS_LIMIT = 1_000
FILES_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message to send. `parts` are 1.0 parts; `message_id` and `digest` are empty where the client gave no id;
    `history_length` None means all of it; `agent` is the role whose endpoint it came to, or empty;
    `files` are the facts of those that came with it, once they are stored; `push` is who is to be told, once that has
    been checked."""

    message_id: str
    context_id: str
    task_id: str
    role: str
    parts: list[Json]
    metadata: Json = field(default_factory=dict)
    extensions: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    blocking: bool = True
    history_length: int | None = None
    digest: str = ""
    agent: str = ""
    files: list[Json] = field(default_factory=list)
    push: PushWish | None = None

    @property
    def text(self) -> str:
        """The message as an agent reads it: its texts, data as JSON, and links."""
        return "\n\n".join(filter(None, map(_part_text, self.parts)))

    @property
    def brings_files(self) -> bool:
        """Whether parts hold contents (`raw`, in bytes) that are to be stored."""
        return any("raw" in part for part in self.parts)


def wrong(name: str, message: str) -> InvalidParamsError:
    """The refusal of one field."""
    return InvalidParamsError(f"{name}: {message}", {"errors": [{"field": name, "message": message}]})


def read_send(params: Json, *, agent: str = "") -> Incoming:
    """The parameters of message/send, message/stream, SendMessage and SendStreamingMessage."""
    message = _object(params, "message", required=True)
    options = _object(params, "configuration")
    _texts(options, "acceptedOutputModes", "accepted_output_modes")  # checked only: an agent makes what it makes
    given_id = text_of(message, "messageId", "message_id")
    return Incoming(
        message_id=given_id,
        context_id=text_of(message, "contextId", "context_id"),
        task_id=text_of(message, "taskId", "task_id"),
        role=_role(message),
        parts=_parts(message),
        metadata=_metadata(params, message),
        extensions=_texts(message, "extensions"),
        references=_texts(message, "referenceTaskIds", "reference_task_ids"),
        blocking=_blocking(options),
        history_length=history_length(options),
        digest=_digest(params) if given_id else "",
        agent=agent,
    )


def _metadata(params: Json, message: Json) -> Json:
    """The request's and the message's own; refused where the message was passed on too often (docs: remote agents)."""
    metadata = {**_object(params, "metadata"), **_object(message, "metadata")}
    hops = hops_of(metadata)
    if hops is None:
        raise wrong("metadata", "hops must be a whole number, 0 or more.")
    if hops > settings.A2A_MAX_HOPS:
        ring = "agents seem to pass this task on to each other in a ring"
        raise wrong("metadata", f"hops is {hops}, more than A2A_MAX_HOPS={settings.A2A_MAX_HOPS}: {ring}.")
    return metadata


def task_id_of(params: Json) -> str:
    """The task that tasks/get, tasks/cancel and their likes name; `task_id` is accepted for `id`."""
    found = text_of(params, "id", "task_id", "taskId")
    if not found:
        raise wrong("id", "Give the task's id.")
    return found


def history_length(options: Mapping[str, Any]) -> int | None:
    """How many messages of the history the client wants; None: all."""
    value = pick(options, "historyLength", "history_length")
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong("historyLength", "Give a whole number, 0 or more.")
    return value


def pick(source: Mapping[str, Any], *names: str) -> Any:
    """The first of the fields that is there and not null."""
    for name in names:
        value = source.get(name)
        if value is not None:
            return value
    return None


def text_of(source: Mapping[str, Any], *names: str) -> str:
    """A short text field under any of its spellings; empty where it is absent."""
    value = pick(source, *names)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong(names[0], "Give a text.")
    if len(value) > ID_LIMIT:
        raise wrong(names[0], f"Give at most {ID_LIMIT} characters.")
    return value


def _object(source: Mapping[str, Any], name: str, *, required: bool = False) -> Json:
    value = source.get(name)
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise wrong(name, "Give an object.")
    return value


def _texts(source: Mapping[str, Any], *names: str) -> list[str]:
    value = pick(source, *names)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) and len(one) <= ID_LIMIT for one in value):
        raise wrong(names[0], "Give a list of texts.")
    return value


def _role(message: Json) -> str:
    role = message.get("role")
    if role is None:
        return USER
    if not isinstance(role, str) or role not in ROLES:
        raise wrong("message.role", f"Give one of {', '.join(ROLES)}.")
    return ROLES[role]


def _blocking(options: Json) -> bool:
    """0.3 says `blocking`, 1.0 says `returnImmediately`; the default waits (A2A 1.0 §3.2.2)."""
    blocking = options.get("blocking")
    at_once = pick(options, "returnImmediately", "return_immediately")
    for name, value in (("blocking", blocking), ("returnImmediately", at_once)):
        if value is not None and not isinstance(value, bool):
            raise wrong(f"configuration.{name}", "Give true or false.")
    if blocking is not None and at_once is not None and blocking == at_once:
        raise wrong("configuration", "blocking and returnImmediately contradict each other.")
    return bool(blocking) if blocking is not None else not at_once


def _digest(params: Json) -> str:
    """What tells a message sent again from another one under the same id; how it is waited for does not count."""
    said = {"message": params.get("message"), "metadata": params.get("metadata")}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


# Parts ---------------------------------------------------------------------------------------------------------------


def _parts(message: Json) -> list[Json]:
    parts = message.get("parts")
    if parts is None:
        parts = message.get("content")
    if not isinstance(parts, list) or not parts:
        raise wrong("message.parts", "Give at least one part.")
    if len(parts) > PARTS_LIMIT:
        raise wrong("message.parts", f"Give at most {PARTS_LIMIT} parts.")
    read = [_part(part, f"message.parts[{index}]") for index, part in enumerate(parts)]
    _check_files(read)
    return read


def _part(part: Any, name: str) -> Json:
    """One part in the 1.0 spelling: exactly one of text, raw, url, data (A2A 1.0 §4.1.6; 0.3 §6.5)."""
    if not isinstance(part, dict):
        raise wrong(name, "Give an object.")
    kind = pick(part, "kind", "type")
    if kind not in (None, "text", "file", "data"):
        raise wrong(f"{name}.kind", "Give one of text, file, data.")
    read = _content(part, kind, name)
    metadata = part.get("metadata")
    if metadata is not None:
        if not isinstance(metadata, dict):
            raise wrong(f"{name}.metadata", "Give an object.")
        read["metadata"] = metadata
    return read


def _content(part: Json, kind: str | None, name: str) -> Json:
    given = [field for field in ("text", "data", "raw", "url", "file") if part.get(field) is not None]
    if "text" not in given and part.get("content") is not None and kind in (None, "text"):
        given.append("content")
    if len(given) != 1:
        raise wrong(name, "Give exactly one of text, data, raw, url (0.3: text, data, file).")
    (what,) = given
    if kind is not None and _kind_of(what) != kind:
        raise wrong(f"{name}.kind", f"Says {kind}, but the part holds {what}.")
    value = part[what]
    if what in ("text", "content"):
        if not isinstance(value, str):
            raise wrong(f"{name}.{what}", "Give a text.")
        return {"text": value, **_named(part, name)}
    if what == "data":
        return {"data": value, **_named(part, name)}
    return _file(value if what == "file" else part, name)


def _kind_of(what: str) -> str:
    return {"text": "text", "content": "text", "data": "data"}.get(what, "file")


def _file(part: Any, name: str) -> Json:
    if not isinstance(part, dict):
        raise wrong(f"{name}.file", "Give an object.")
    raw = pick(part, "raw", "bytes", "fileWithBytes", "file_with_bytes")
    url = pick(part, "url", "uri", "fileWithUri", "file_with_uri")
    if (raw is None) == (url is None):
        raise wrong(name, "A file has either its content or its address.")
    if url is not None:
        if not isinstance(url, str):
            raise wrong(f"{name}.url", "Give a text.")
        return {"url": url, **_named(part, name)}
    content = _decoded(raw, f"{name}.raw")
    return {"raw": content, "size": len(content), **_named(part, name)}


def _decoded(raw: Any, name: str) -> bytes:
    """The content of a file: base64 in either alphabet, padded or not, as ProtoJSON allows."""
    text = raw.rstrip("=").translate(_PLAIN_ALPHABET) if isinstance(raw, str) else "?"
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise wrong(name, "Give the content in base64.") from error


_PLAIN_ALPHABET = str.maketrans("-_", "+/")


def _check_files(parts: list[Json]) -> None:
    """What comes by its content is bounded in number and size; addresses are not."""
    sizes = [part["size"] for part in parts if "raw" in part]
    if len(sizes) > FILES_LIMIT:
        raise wrong("message.parts", f"Give at most {FILES_LIMIT} files by their content.")
    if sum(sizes) > settings.MAX_FILE_BYTES:
        raise wrong("message.parts", f"Give files of at most {settings.MAX_FILE_BYTES} bytes together.")


def _named(part: Json, name: str) -> Json:
    """The media type and file name, where they are given."""
    read = {}
    for ours, *theirs in (("mediaType", "media_type", "mimeType", "mime_type"), ("filename", "name")):
        value = pick(part, ours, *theirs)
        if value is None:
            continue
        if not isinstance(value, str):
            raise wrong(f"{name}.{ours}", "Give a text.")
        read[ours] = value
    return read


def _part_text(part: Json) -> str:
    if "text" in part:
        return str(part["text"])
    if "size" in part:
        return f"Attached: {part.get('filename', 'file')} ({part.get('mediaType', 'file')}, {part['size']} bytes)"
    if "url" in part:
        return f"Attached: {part.get('filename', 'file')} <{part['url']}>"
    return f"```json\n{orjson.dumps(part['data'], option=orjson.OPT_INDENT_2).decode()}\n```"
