"""Finding tasks by what no index holds, among the latest of some workspaces: bounded, whatever the table holds."""

import uuid
from collections.abc import Mapping, Sequence

from apps.core.prepared import execute

TITLES_LOOKED_AT = 5_000
LOOKED_AT = 10_000
"""Tasks that are looked at, the latest, over all of the workspaces."""
FOUND_AT_MOST = 2_000

_LATEST = """
SELECT t.id FROM unnest(%(workspaces)s::uuid[]) AS w(id) CROSS JOIN LATERAL (
    SELECT id, title, usage, requires, created_by FROM tasks_task WHERE workspace_id = w.id
    ORDER BY created_at DESC, id DESC LIMIT %(each)s
) t WHERE """
_NEWEST = " ORDER BY t.id DESC LIMIT %(most)s"
_TITLED = f"{_LATEST} t.title ILIKE ALL (%(patterns)s::text[]) {_NEWEST}"
_MADE = f"{_LATEST} t.created_by = %(by)s {_NEWEST}"
_REQUIRING = f"{_LATEST} %(name)s::text = ANY (t.requires) {_NEWEST}"
_COSTLY = f"""{_LATEST}
CASE WHEN jsonb_typeof(t.usage -> 'cost_usd') = 'number' THEN (t.usage ->> 'cost_usd')::float8 END >= %(least)s
ORDER BY (t.usage ->> 'cost_usd')::float8 DESC LIMIT %(most)s"""


def titled_tasks(workspace_ids: Sequence[uuid.UUID], words: Sequence[str], most: int) -> list[uuid.UUID]:
    """The tasks whose titles hold all words, of the latest TITLES_LOOKED_AT."""
    patterns = ["%" + word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%" for word in words]
    said = {"patterns": patterns}
    return _found(_TITLED, workspace_ids, said, looked_at=TITLES_LOOKED_AT, most=most) if words else []


def costly_tasks(workspace_ids: Sequence[uuid.UUID], at_least: float) -> list[uuid.UUID]:
    """The tasks that have cost `at_least` USD so far; where there are too many, the dearest."""
    return _found(_COSTLY, workspace_ids, {"least": at_least})


def tasks_made_by(workspace_ids: Sequence[uuid.UUID], by: str) -> list[uuid.UUID]:
    """The tasks that somebody made, by the name of the maker."""
    return _found(_MADE, workspace_ids, {"by": by})


def tasks_requiring(workspace_ids: Sequence[uuid.UUID], name: str) -> list[uuid.UUID]:
    """The tasks for workers with an agent program or another capability of that name."""
    return _found(_REQUIRING, workspace_ids, {"name": name})


def _found(
    sql: str,
    workspace_ids: Sequence[uuid.UUID],
    said: Mapping[str, object],
    *,
    looked_at: int | None = None,
    most: int | None = None,
) -> list[uuid.UUID]:
    each = max(1, (looked_at or LOOKED_AT) // max(1, len(workspace_ids)))
    places = {"workspaces": [str(one) for one in workspace_ids], "each": each, "most": most or FOUND_AT_MOST}
    return [key for (key,) in execute(sql, {**places, **said})]
