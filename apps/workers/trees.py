"""Workers tell of the working trees of their tasks (docs: Worker protocol)."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from apps.accounts.gate import json_object, json_response
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.ids import parse_id
from apps.tasks.services import ToldTree, working_trees_report
from apps.workers import reading
from apps.workers.bounds import check_acts_as, check_tasks
from apps.workers.selectors import worker_get

STATES = ("active", "kept", "merged", "discarded", "empty")
COUNT_MOST = 2**31 - 1
PATH_LIMIT = 4096
LEFT_MOST = 100
TASKS_MOST = 100


async def working_trees(request: Request, principal: Principal) -> Response:
    body = await json_object(request)
    return json_response(await in_database(_report, principal, body))


def _report(principal: Principal, body: Mapping[str, Any]) -> dict[str, Any]:
    worker_id = reading.text(body, "worker_id", required=True)
    trees = [_tree(said) for said in reading.listed(body, "trees", _table)]
    if len({tree.tree_id for tree in trees}) < len(trees):
        raise reading.invalid("trees", "Name each tree once.")
    held = reading.listed(body, "held", reading.word) if body.get("held") is not None else None
    worker_get(workspace_id=principal.workspace_id, worker_id=worker_id)
    check_acts_as(principal, worker_id)
    for tree in trees:
        if tree.codebase_id:
            principal.require_codebase(tree.codebase_id)
        check_tasks(principal, *tree.task_ids)
    working_trees_report(workspace_id=principal.workspace_id, worker_id=worker_id, trees=trees, held=held)
    return {"success": True, "trees": len(trees)}


def _table(entry: Any) -> dict[str, Any] | None:
    return entry if isinstance(entry, dict) else None


def _tree(said: Mapping[str, Any]) -> ToldTree:
    state = reading.text(said, "state", required=True)
    if state not in STATES:
        raise reading.invalid("state", f"Give one of {', '.join(STATES)}.")
    return ToldTree(
        tree_id=reading.text(said, "id", required=True),
        state=state,
        branch=reading.text(said, "branch", required=True, limit=PATH_LIMIT),
        base=reading.text(said, "base", required=True),
        head=reading.text(said, "head", required=True),
        codebase_id=reading.text(said, "codebase_id"),
        task_ids=_at_most(TASKS_MOST, "task_ids", reading.listed(said, "task_ids", parse_id)),
        base_branch=reading.text(said, "base_branch", limit=PATH_LIMIT),
        dirty=reading.flag(said, "dirty"),
        left=_at_most(LEFT_MOST, "left", reading.listed(said, "left", _path)),
        files=_count(said, "files"),
        insertions=_count(said, "insertions"),
        deletions=_count(said, "deletions"),
        merged_into=reading.text(said, "merged_into", limit=PATH_LIMIT),
    )


def _path(entry: Any) -> str | None:
    return entry if isinstance(entry, str) and 0 < len(entry) <= PATH_LIMIT else None


def _count(said: Mapping[str, Any], name: str) -> int:
    return reading.whole(said, name, default=0, least=0, most=COUNT_MOST)


def _at_most[T](most: int, name: str, entries: list[T]) -> list[T]:
    if len(entries) > most:
        raise reading.invalid(name, f"Give at most {most} entries.")
    return entries
