"""ListTasks (A2A 1.0 §3.1.4): the caller's tasks, latest change of status first, page by page."""

import base64
import binascii
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.a2a.incoming import history_length, pick, text_of, wrong
from apps.a2a.looking import told_of
from apps.a2a.projection import STATES, task_view
from apps.accounts.principals import Principal
from apps.core.clock import parse_time
from apps.core.db import in_database
from apps.core.ids import parse_id
from apps.tasks.selectors import Before, MoveFilter, tasks_by_move
from apps.tasks.states import State

Json = dict[str, Any]

PAGE_SIZE, PAGE_SIZE_MOST = 50, 100


async def tasks_list(principal: Principal, params: Json) -> Json:
    """`{tasks, nextPageToken, pageSize, totalSize}`; a task has its artifacts only where the caller wants them."""
    wanted = MoveFilter(
        context_id=text_of(params, "contextId", "context_id"),
        state=_state(params),
        moved_after=_moved_after(params),
    )
    size = _page_size(params)
    page_token = text_of(params, "pageToken", "page_token")
    before = _place(page_token) if page_token else None
    with_artifacts = _flag(params, "includeArtifacts", "include_artifacts")
    return await in_database(_page, principal, wanted, before, size, history_length(params), with_artifacts)


def _page(
    principal: Principal, wanted: MoveFilter, before: Before | None, size: int, length: int | None, with_artifacts: bool
) -> Json:
    page = tasks_by_move(principal.workspace_id, wanted, limit=size, before=before)
    lines = told_of(page.tasks, with_artifacts=with_artifacts)
    tasks = [task_view(task, lines.get(task.id, ()), history_length=length) for task in page.tasks]
    for task in tasks if not with_artifacts else ():
        task.pop("artifacts", None)
    return {
        "tasks": tasks,
        "nextPageToken": _token(page.next) if page.next else "",
        "pageSize": size,
        "totalSize": page.total,
    }


def _state(params: Json) -> State | None:
    """The state that a filter names, in 1.0's spelling or ours."""
    name = text_of(params, "status")
    if name in ("", "TASK_STATE_UNSPECIFIED"):
        return None
    for state, spelled in STATES.items():
        if name in (spelled, spelled.removeprefix("TASK_STATE_").lower().replace("_", "-"), str(state)):
            return state
    raise wrong("status", f"Give one of {', '.join(STATES.values())}.")


def _moved_after(params: Json) -> datetime | None:
    value = pick(params, "statusTimestampAfter", "status_timestamp_after", "lastUpdatedAfter")
    if value is None:
        return None
    moment = parse_time(value)
    if moment is None:
        raise wrong("statusTimestampAfter", "Give a time as in ISO 8601.")
    return moment


def _page_size(params: Json) -> int:
    value = pick(params, "pageSize", "page_size")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return PAGE_SIZE
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= PAGE_SIZE_MOST:
        raise wrong("pageSize", f"Give a whole number from 1 to {PAGE_SIZE_MOST}.")
    return value


def _flag(params: Mapping[str, Any], *names: str) -> bool:
    value = pick(params, *names)
    if value is not None and not isinstance(value, bool):
        raise wrong(names[0], "Give true or false.")
    return bool(value)


def _token(place: Before) -> str:
    return base64.urlsafe_b64encode(f"{place.moved_at.isoformat()} {place.task_id}".encode()).decode()


def _place(token: str) -> Before:
    try:
        moved_at, _, task_id = base64.b64decode(token.encode(), b"-_", validate=True).decode().partition(" ")
        return Before(datetime.fromisoformat(moved_at), _known(parse_id(task_id)))
    except (binascii.Error, ValueError) as error:
        raise wrong("pageToken", "Give the nextPageToken of a former page as it was.") from error


def _known(task_id: uuid.UUID | None) -> uuid.UUID:
    if task_id is None:
        raise ValueError("no id")
    return task_id
