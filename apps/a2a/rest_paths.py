"""The paths of the HTTP+JSON binding (A2A 1.0 §11.3; 0.3 §3.5.3): which operation each is, what it reads and says.

Those of 0.3 begin with `/v1`. All stand below the interface's address on the card; clients join the two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from apps.a2a import legacy_proto, operations
from apps.a2a.incoming import ID_LIMIT, wrong
from apps.a2a.legacy_proto import read_push
from apps.a2a.operations import NEW, OLD, Operation

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a request: `ids` from the path, the query, the body and the tenant (empty: none was given)."""

    ids: Mapping[str, str]
    query: QueryParams
    body: Json
    tenant: str = ""
    twice: bool = False


@dataclass(frozen=True, slots=True)
class RestMethod:
    """`read` makes the operation's parameters; `spell` puts the answer (or stream event) in the version's words."""

    verbs: tuple[str, ...]
    path: str
    operation: Operation
    read: Callable[[Given], Json]
    version: str = NEW
    needs_body: bool = False
    spell: Callable[[Json, bool], Json] = lambda answer, twice: answer


# Parameters of 1.0 ---------------------------------------------------------------------------------------------------


def _body(given: Given) -> Json:
    return given.body


def _task(given: Given) -> Json:
    """A body may repeat the task's id (as clients made from the protobuf definition do), but not name another."""
    return {**given.body, "id": _agreed(given, "id", "task_id")}


def _look(given: Given) -> Json:
    return {"id": given.ids["task_id"], **_whole(given.query, "historyLength", "history_length")}


def _list(given: Given) -> Json:
    return {
        **_text(given.query, "contextId", "context_id"),
        **_text(given.query, "status"),
        **_text(given.query, "pageToken", "page_token"),
        **_text(given.query, "statusTimestampAfter", "status_timestamp_after"),
        **_whole(given.query, "pageSize", "page_size"),
        **_whole(given.query, "historyLength", "history_length"),
        **_truth(given.query, "includeArtifacts", "include_artifacts"),
    }


def _push(given: Given) -> Json:
    """The configuration is the body (1.0 §3.1.7)."""
    return {**given.body, "taskId": _agreed(given, "taskId", "task_id")}


def _push_one(given: Given) -> Json:
    return {"taskId": given.ids["task_id"], "id": given.ids["config_id"]}


def _push_all(given: Given) -> Json:
    page = _whole(given.query, "pageSize", "page_size") | _text(given.query, "pageToken", "page_token")
    return {"taskId": given.ids["task_id"], **page}


def _nothing(given: Given) -> Json:
    return {}


def _agreed(given: Given, *names: str) -> str:
    """The path's task, which the body may repeat under any of the names."""
    task_id = given.ids["task_id"]
    for name in names:
        if given.body.get(name) not in (None, "", task_id):
            raise wrong(name, "The body names another task than the path.")
    return task_id


# The query -----------------------------------------------------------------------------------------------------------


def _asked(query: QueryParams, names: tuple[str, ...]) -> str:
    """The value under the first of the names that is there; empty where none is."""
    return next((query[name] for name in names if name in query), "")


def _text(query: QueryParams, *names: str) -> Json:
    value = _asked(query, names)
    if len(value) > ID_LIMIT:
        raise wrong(names[0], f"Give at most {ID_LIMIT} characters.")
    return {names[0]: value} if value else {}


def _whole(query: QueryParams, *names: str) -> Json:
    value = _asked(query, names)
    if not value:
        return {}
    if not (value.isascii() and value.removeprefix("-").isdigit() and len(value) < 11):
        raise wrong(names[0], "Give a whole number.")
    return {names[0]: int(value)}


_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


def _truth(query: QueryParams, *names: str) -> Json:
    value = _asked(query, names).lower()
    if not value:
        return {}
    if value not in _TRUTHS:
        raise wrong(names[0], "Give true or false.")
    return {names[0]: _TRUTHS[value]}


# Parameters of 0.3 ---------------------------------------------------------------------------------------------------


def _old_send(given: Given) -> Json:
    return legacy_proto.read_send(given.body, given.twice)


def _old_task(given: Given) -> Json:
    """Clients repeat the task as a resource name; the path says it."""
    return {"id": given.ids["task_id"]}


def _old_push(given: Given) -> Json:
    return {"taskId": given.ids["task_id"], "pushNotificationConfig": read_push(given.body)}


def _old_push_one(given: Given) -> Json:
    return {"id": given.ids["task_id"], "pushNotificationConfigId": given.ids["config_id"]}


TASK = "/tasks/{task_id}"
CONFIGS = f"{TASK}/pushNotificationConfigs"
CONFIG = f"{CONFIGS}/{{config_id}}"
READ, WRITE, DELETE = ("GET",), ("POST",), ("DELETE",)
BOTH = ("GET", "POST")
"""Subscribing is POST in 1.0.1 and GET before; 0.3's clients use either."""

METHODS_1_0 = (
    RestMethod(WRITE, "/message:send", operations.SEND, _body, needs_body=True),
    RestMethod(WRITE, "/message:stream", operations.SEND_STREAM, _body, needs_body=True),
    RestMethod(WRITE, f"{TASK}:cancel", operations.CANCEL, _task),
    RestMethod(BOTH, f"{TASK}:subscribe", operations.SUBSCRIBE, _task),
    RestMethod(READ, TASK, operations.GET, _look),
    RestMethod(READ, "/tasks", operations.LIST, _list),
    RestMethod(WRITE, CONFIGS, operations.PUSH_CREATE, _push, needs_body=True),
    RestMethod(READ, CONFIGS, operations.PUSH_LIST, _push_all),
    RestMethod(READ, CONFIG, operations.PUSH_GET, _push_one),
    RestMethod(DELETE, CONFIG, operations.PUSH_DELETE, _push_one),
    RestMethod(READ, "/extendedAgentCard", operations.EXTENDED_CARD, _nothing),
)
METHODS_0_3 = (
    RestMethod(WRITE, "/v1/message:send", operations.SEND, _old_send, OLD, True, legacy_proto.event),
    RestMethod(WRITE, "/v1/message:stream", operations.SEND_STREAM, _old_send, OLD, True, legacy_proto.event),
    RestMethod(WRITE, f"/v1{TASK}:cancel", operations.CANCEL, _old_task, OLD, spell=legacy_proto.task),
    RestMethod(BOTH, f"/v1{TASK}:subscribe", operations.SUBSCRIBE, _old_task, OLD, spell=legacy_proto.event),
    RestMethod(READ, f"/v1{TASK}", operations.GET, _look, OLD, spell=legacy_proto.task),
    RestMethod(WRITE, f"/v1{CONFIGS}", operations.PUSH_CREATE, _old_push, OLD, True, legacy_proto.push_config),
    RestMethod(READ, f"/v1{CONFIGS}", operations.PUSH_LIST, _old_task, OLD, spell=legacy_proto.push_configs),
    RestMethod(READ, f"/v1{CONFIG}", operations.PUSH_GET, _old_push_one, OLD, spell=legacy_proto.push_config),
    RestMethod(DELETE, f"/v1{CONFIG}", operations.PUSH_DELETE, _old_push_one, OLD),
    RestMethod(READ, "/v1/card", operations.EXTENDED_CARD, _nothing, OLD, spell=legacy_proto.card),
)
METHODS = METHODS_0_3 + METHODS_1_0
