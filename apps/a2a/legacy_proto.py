"""A2A 0.3 in the ProtoJSON of its protobuf definition, which is what 0.3's HTTP+JSON clients read and write.

Answers are spelled from 1.0's, with no field that the definition lacks: the official client of 0.3 refuses those.
Requests may be in this spelling or, as 0.3's text (§3.2.3) shows them, in that of JSON-RPC; both are put in the latter.

The official Python client has one more turn: it takes a file's base64 text for the file's bytes, so on the wire it is
in base64 twice. Other clients do as protobuf says. `twice` tells which one this is.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from apps.a2a import legacy
from apps.a2a.incoming import pick, wrong

Json = dict[str, Any]

STATES = {"TASK_STATE_CANCELED": "TASK_STATE_CANCELLED"}
"""States that 0.3's definition spells otherwise."""
MESSAGE = ("messageId", "contextId", "taskId", "role", "metadata", "extensions")
ARTIFACT = ("artifactId", "name", "description", "metadata", "extensions")
UPDATE = ("taskId", "contextId", "metadata")


# Answers -------------------------------------------------------------------------------------------------------------


def part(new: Json, twice: bool = False) -> Json:
    """A part: one of text, file, data."""
    metadata = new.get("metadata")
    old: Json
    if "text" in new:
        old = {"text": new["text"]}
    elif "data" in new:
        data = new["data"]
        if not isinstance(data, dict):  # the definition has objects only; the SDK marks others so
            data, metadata = {"value": data}, {**(metadata or {}), "data_part_compat": True}
        old = {"data": {"data": data}}
    else:
        old = {"file": _file(new, twice)}
    return {**old, "metadata": metadata} if metadata else old


def _file(new: Json, twice: bool) -> Json:
    if "raw" in new:
        raw = base64.b64encode(new["raw"].encode()).decode() if twice else new["raw"]
        where = {"fileWithBytes": raw}
    else:
        where = {"fileWithUri": new["url"]}
    named = {"mimeType": new.get("mediaType"), "name": new.get("filename")}
    return where | {name: value for name, value in named.items() if value}


def message(new: Json, twice: bool = False) -> Json:
    return _kept(new, MESSAGE) | {"content": [part(one, twice) for one in new["parts"]]}


def status(new: Json, twice: bool = False) -> Json:
    old = {**new, "state": STATES.get(new["state"], new["state"])}
    if "message" in new:
        old["message"] = message(new["message"], twice)
    return old


def artifact(new: Json, twice: bool = False) -> Json:
    return _kept(new, ARTIFACT) | {"parts": [part(one, twice) for one in new["parts"]]}


def task(new: Json, twice: bool = False) -> Json:
    old = _kept(new, ("id", "contextId", "metadata")) | {"status": status(new["status"], twice)}
    if "artifacts" in new:
        old["artifacts"] = [artifact(one, twice) for one in new["artifacts"]]
    if "history" in new:
        old["history"] = [message(one, twice) for one in new["history"]]
    return old


def _status_update(new: Json, twice: bool) -> Json:
    final = legacy.state(new["status"]["state"]) in legacy.FINAL
    return _kept(new, UPDATE) | {"status": status(new["status"], twice), "final": final}


def _artifact_update(new: Json, twice: bool) -> Json:
    told = {name: new[name] for name in ("append", "lastChunk") if name in new}
    return _kept(new, UPDATE) | told | {"artifact": artifact(new["artifact"], twice)}


_EVENTS: Mapping[str, Callable[[Json, bool], Json]] = {
    "task": task,
    "message": message,
    "statusUpdate": _status_update,
    "artifactUpdate": _artifact_update,
}


def event(new: Json, twice: bool = False) -> Json:
    """What a send or a stream gives: one field, named after what it holds."""
    ((name, value),) = new.items()
    return {name: _EVENTS[name](value, twice)}


def push_config(new: Json, twice: bool = False) -> Json:
    """A push configuration, named after the task and itself (0.3 §6.8)."""
    old = legacy.push_config(new)["pushNotificationConfig"]
    return {"name": f"tasks/{new['taskId']}/pushNotificationConfigs/{new['id']}", "pushNotificationConfig": old}


def push_configs(new: Json, twice: bool = False) -> Json:
    return {"configs": [push_config(one) for one in new.get("configs", [])]}


def card(new: Json, twice: bool = False) -> Json:
    """The card as it is: it holds both spellings of 0.3, the definition's and the text's."""
    return new


def _kept(new: Json, names: tuple[str, ...]) -> Json:
    return {name: new[name] for name in names if new.get(name)}


# Requests ------------------------------------------------------------------------------------------------------------


def read_send(body: Json, twice: bool = False) -> Json:
    """The parameters of a send in 0.3's JSON-RPC spelling."""
    params = dict(body)
    said = pick(params, "message", "request")
    params.pop("request", None)
    if isinstance(said, dict):
        by_definition = "content" in said or "request" in body
        params["message"] = _read_message(said, twice)
        if isinstance(body.get("configuration"), dict):
            params["configuration"] = _read_configuration(body["configuration"], by_definition)
    else:
        params["message"] = said
    return params


def _read_message(said: Json, twice: bool) -> Json:
    content = said.get("content")
    if isinstance(content, list) and said.get("parts") is None:
        parts = [_read_part(one, twice) for one in content]
        return {**{name: value for name, value in said.items() if name != "content"}, "parts": parts}
    return said


def _read_part(given: Any, twice: bool) -> Any:
    """Whatever is not as the definition has it is left to the reader of parts, which refuses it by its name."""
    if not isinstance(given, dict):
        return given
    data, file = given.get("data"), given.get("file")
    if isinstance(data, dict) and isinstance(data.get("data"), dict) and len(data) == 1:
        return {**given, "data": data["data"]}
    if isinstance(file, dict):
        return {**given, "file": _read_file(file, twice)}
    return given


def _read_file(file: Json, twice: bool) -> Json:
    uri, raw = pick(file, "fileWithUri", "file_with_uri"), pick(file, "fileWithBytes", "file_with_bytes")
    if uri is None and raw is None:
        return file
    kept: Json = {key: file[key] for key in ("mimeType", "mime_type", "name") if key in file}
    if uri is not None:
        kept["uri"] = uri
    if raw is not None:
        kept["bytes"] = _once(raw) if twice else raw
    return kept


def _once(raw: Any) -> Any:
    """The base64 text within the base64 text; where there is none, the client spoke as protobuf does."""
    try:
        inner = base64.b64decode(raw, validate=True).decode("ascii")
        base64.b64decode(inner, validate=True)
    except (TypeError, binascii.Error, ValueError):
        return raw
    return inner


def _read_configuration(given: Json, by_definition: bool) -> Json:
    """Protobuf leaves out what is false or 0: no `blocking` is false, and 0 messages of history mean all of them."""
    read = {name: value for name, value in given.items() if name not in ("pushNotification", "push_notification")}
    push = pick(given, "pushNotification", "push_notification")
    if push is not None:
        read["pushNotificationConfig"] = push
    if by_definition:
        read.setdefault("blocking", False)
    if pick(read, "historyLength", "history_length") == 0:
        read.pop("historyLength", None)
        read.pop("history_length", None)
    return read


def read_push(body: Json) -> Json:
    """The configuration in a request to set one: bare, named after its task, or in a request that names both."""
    given = body
    if isinstance(body.get("config"), dict):
        given = body["config"]
    config = pick(given, "pushNotificationConfig", "push_notification_config")
    if config is None and "url" in given:
        config = given
    if not isinstance(config, dict):
        raise wrong("pushNotificationConfig", "Give an object.")
    chosen = pick(body, "configId", "config_id")
    return {**config, "id": chosen} if chosen is not None and not config.get("id") else config
