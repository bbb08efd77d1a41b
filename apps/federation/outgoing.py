"""What we say to remote agents: the first message of a task, and what people say to it while it is under way.

The id of each message follows from our task and, for later ones, from the event that it carries. An agent that drops
messages that it has had (CodeTether does) so takes nothing twice, however often it is sent.
"""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from a2a.types import Message, SendMessageRequest
from google.protobuf.json_format import ParseDict, ParseError

from apps.core.extension import EXTENSION
from apps.federation.contents import with_contents
from apps.federation.hops import passed_on
from apps.federation.models import RemoteTask

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

SAID = "a2a"
"""Where a task's metadata (and the data of what people say to it) keep the A2A message that it came by."""
PARTS = ("text", "data", "url", "raw")


def first_message(task: "Task", link: RemoteTask, extra: Mapping[str, Any]) -> SendMessageRequest:
    """The message that makes the remote task; `extra` is the metadata that the agent is to get with every message.

    Reads the contents of files, so call it on a database thread; so, too, the next.
    """
    said = _said(task.metadata) if "follows" not in task.metadata else {}
    message = {
        "messageId": str(task.id),
        "contextId": link.sent_context_id,
        "referenceTaskIds": link.sent_references,
        "parts": _parts(said, task.prompt, task.workspace_id),
    }
    return _request(message, task, extra)


def later_message(
    task: "Task", link: RemoteTask, steering: Mapping[str, Any], extra: Mapping[str, Any]
) -> SendMessageRequest:
    """What a person said to the task, as the event `steering` (with its seq) tells it."""
    message = {
        "messageId": later_id(task.id, steering["seq"]),
        "taskId": link.remote_task_id,
        "contextId": link.remote_context_id,
        "parts": _parts(_said(steering.get("data") or {}), steering["message"], task.workspace_id),
    }
    return _request(message, task, extra)


def later_id(task_id: uuid.UUID, seq: int) -> str:
    """The id of the message that carries the event `seq` of a task."""
    return f"{task_id}:{seq}"


def references_of(task: "Task") -> list[str]:
    """The tasks of ours that the message which made this one refers to."""
    listed = _said(task.metadata).get("referenceTaskIds", [])
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def _request(message: Json, task: "Task", extra: Mapping[str, Any]) -> SendMessageRequest:
    way = passed_on(_said(task.metadata).get("metadata") or {})
    metadata = {**extra, EXTENSION: way}
    named = {name: value for name, value in message.items() if value}
    full = {**named, "role": "ROLE_USER", "metadata": metadata, "extensions": [EXTENSION]}
    return SendMessageRequest(message=ParseDict(full, Message()))


def _said(metadata: Mapping[str, Any]) -> Json:
    said = metadata.get(SAID)
    return said if isinstance(said, dict) else {}


def _parts(said: Json, text: str, workspace_id: uuid.UUID) -> list[Json]:
    """The message's own parts, where its text does not tell all; those of other faces are just text."""
    parts = said.get("parts")
    if isinstance(parts, list) and parts and all(isinstance(part, dict) for part in parts):
        made = with_contents(workspace_id, parts)
        if all(map(_is_sendable, made)):
            return made
    return [{"text": text}]


def _is_sendable(part: object) -> bool:
    if not isinstance(part, dict) or sum(name in part for name in PARTS) != 1:
        return False
    try:
        ParseDict({"parts": [part]}, Message())
    except ParseError:
        return False
    return True
