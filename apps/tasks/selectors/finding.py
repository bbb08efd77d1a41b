"""Finding tasks by what no index holds, among the latest of some workspaces: bounded, whatever the table holds."""

import uuid
from collections.abc import Sequence

from apps.core.prepared import execute

LOOKED_AT = 5_000
"""Titles that are looked at, the latest, over all of the workspaces."""
COSTS_LOOKED_AT = 20_000
"""Tasks whose cost is looked at, the latest, over all of the workspaces."""
COSTLY_AT_MOST = 1_000

_LATEST = """
FROM unnest(%(workspaces)s::uuid[]) AS w(id) CROSS JOIN LATERAL (
    SELECT id, title, usage FROM tasks_task WHERE workspace_id = w.id
    ORDER BY created_at DESC, id DESC LIMIT %(each)s
) t"""
_TITLED = f"SELECT t.id {_LATEST} WHERE t.title ILIKE ALL (%(patterns)s::text[]) ORDER BY t.id DESC LIMIT %(most)s"
_COSTLY = f"""
SELECT t.id {_LATEST}
WHERE CASE WHEN jsonb_typeof(t.usage -> 'cost_usd') = 'number' THEN (t.usage ->> 'cost_usd')::float8 END >= %(least)s
ORDER BY (t.usage ->> 'cost_usd')::float8 DESC LIMIT %(most)s"""


def titled_tasks(workspace_ids: Sequence[uuid.UUID], words: Sequence[str], most: int) -> list[uuid.UUID]:
    """The tasks whose titles hold all words, the newest first."""
    patterns = ["%" + word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%" for word in words]
    params = {**_latest_of(workspace_ids, LOOKED_AT), "patterns": patterns, "most": most}
    return [key for (key,) in execute(_TITLED, params)] if words else []


def costly_tasks(workspace_ids: Sequence[uuid.UUID], at_least: float) -> list[uuid.UUID]:
    """The tasks that have cost `at_least` USD so far, the dearest first, COSTLY_AT_MOST at most."""
    params = {**_latest_of(workspace_ids, COSTS_LOOKED_AT), "least": at_least, "most": COSTLY_AT_MOST}
    return [key for (key,) in execute(_COSTLY, params)]


def _latest_of(workspace_ids: Sequence[uuid.UUID], most: int) -> dict[str, object]:
    each = most // max(1, len(workspace_ids))
    return {"workspaces": [str(one) for one in workspace_ids], "each": max(1, each)}
