"""Counting, by hand, what was claimed before its limit was set."""

import uuid

from apps.core.prepared import execute

_ADOPT = """
WITH uncounted AS (
    SELECT t.id FROM tasks_task t
    WHERE t.workspace_id = %(workspace_id)s AND t.lease_expires_at IS NOT NULL
      AND t.state IN ('running', 'input_required', 'auth_required')
      AND CASE %(kind)s::text WHEN 'workspace' THEN true WHEN 'codebase' THEN t.queue = %(key)s
          WHEN 'worker' THEN t.worker_id = %(key)s ELSE t.concurrency_key = %(key)s END
      AND NOT (%(id)s::bigint = ANY(t.limit_ids))
    ORDER BY t.id FOR NO KEY UPDATE
), adopted AS (
    UPDATE tasks_task t SET limit_ids = t.limit_ids || %(id)s::bigint FROM uncounted WHERE t.id = uncounted.id
    RETURNING t.id
), counted AS (
    UPDATE tasks_queuelimit SET held = held + (SELECT count(*) FROM adopted)
    WHERE id = %(id)s AND EXISTS (SELECT FROM adopted)
)
SELECT count(*) FROM adopted"""


def adopt(*, limit_id: int, workspace_id: uuid.UUID, kind: str, key: str) -> int:
    """Count the held tasks that a limit bounds and does not count yet; returns how many. Tasks are locked first."""
    params = {"workspace_id": workspace_id, "kind": kind, "key": key, "id": limit_id}
    ((number,),) = execute(_ADOPT, params)
    return int(number)
