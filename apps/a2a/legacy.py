"""A2A 0.3's spelling of what the projection says in 1.0's, as the SDK's own conversion spells it (a test compares)."""

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]

ROLES = {"ROLE_USER": "user", "ROLE_AGENT": "agent"}
FINAL = frozenset({"completed", "canceled", "failed", "rejected", "input-required"})
"""States after which a stream ends: `final` tells the client so (0.3 §7.2.2)."""


def state(name: str) -> str:
    """`TASK_STATE_INPUT_REQUIRED` as `input-required`."""
    return name.removeprefix("TASK_STATE_").lower().replace("_", "-")


def part(new: Json) -> Json:
    """A part told apart by `kind`."""
    old: Json
    metadata = new.get("metadata")
    if "text" in new:
        old = {"kind": "text", "text": new["text"]}
    elif "data" in new:
        data = new["data"]
        if not isinstance(data, dict):
            data, metadata = {"value": data}, {**(metadata or {}), "data_part_compat": True}
        old = {"kind": "data", "data": data}
    else:
        old = {"kind": "file", "file": _file(new)}
    return {**old, "metadata": metadata} if metadata else old


def _file(new: Json) -> Json:
    where = {"bytes": new["raw"]} if "raw" in new else {"uri": new["url"]}
    named = {"mimeType": new.get("mediaType"), "name": new.get("filename")}
    return where | {name: value for name, value in named.items() if value}


def message(new: Json) -> Json:
    """A message with its `kind` and 0.3's role."""
    return {**new, "kind": "message", "role": ROLES[new["role"]], "parts": [part(one) for one in new["parts"]]}


def status(new: Json) -> Json:
    old = {**new, "state": state(new["state"])}
    if "message" in new:
        old["message"] = message(new["message"])
    return old


def artifact(new: Json) -> Json:
    return {**new, "parts": [part(one) for one in new["parts"]]}


def task(new: Json) -> Json:
    """A task with its `kind`, artifacts and history."""
    old = {**new, "kind": "task", "status": status(new["status"])}
    if "artifacts" in new:
        old["artifacts"] = [artifact(one) for one in new["artifacts"]]
    if "history" in new:
        old["history"] = [message(one) for one in new["history"]]
    return old


def push_config(new: Json) -> Json:
    """A push notification config below its task's id; 0.3 lists schemes (0.3 §6.8)."""
    config = {name: value for name, value in new.items() if name != "taskId"}
    if "authentication" in new:
        authentication = dict(new["authentication"])
        config["authentication"] = {"schemes": [authentication.pop("scheme")], **authentication}
    return {"taskId": new["taskId"], "pushNotificationConfig": config}


def push_configs(new: Json) -> list[Json]:
    """0.3 has no pages: what a page of 1.0 holds is more than a task may have."""
    return [push_config(one) for one in new["configs"]]


def nothing(new: Json) -> None:
    """`"result": null` (0.3 §7.8)."""


def _status_update(new: Json) -> Json:
    told = status(new["status"])
    return {**new, "kind": "status-update", "status": told, "final": told["state"] in FINAL}


def _artifact_update(new: Json) -> Json:
    return {**new, "kind": "artifact-update", "artifact": artifact(new["artifact"])}


_EVENTS: Mapping[str, Callable[[Json], Json]] = {
    "task": task,
    "message": message,
    "statusUpdate": _status_update,
    "artifactUpdate": _artifact_update,
}


def stream_event(new: Json) -> Json:
    """An event of a stream: 1.0 wraps it in a field that names it, 0.3 tells it by `kind`."""
    ((name, value),) = new.items()
    return _EVENTS[name](value)
