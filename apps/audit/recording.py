"""Writing an entry: one statement, within the caller's transaction, so that deed and entry commit together.

Call it last in a transaction: it holds the workspace's chain until the commit.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from apps.audit.actions import Action, Outcome
from apps.audit.chain import plain, spelling
from apps.core.caller import caller
from apps.core.prepared import execute
from apps.core.tenancy import acting, of_workspaces

_APPEND = """
WITH moved AS (
    UPDATE audit_audithead h SET seq = h.seq + 1, hash = sha256(h.hash || convert_to(
        (h.seq + 1)::text || E'\\n' || (extract(epoch FROM n.at) * 1000000)::bigint::text || E'\\n' || %(words)s::text,
        'UTF8'))
    FROM (SELECT clock_timestamp() AS at OFFSET 0) n WHERE h.workspace_id = %(workspace_id)s
    RETURNING h.workspace_id, h.seq, n.at, h.hash
)
INSERT INTO audit_auditentry
    (workspace_id, seq, at, action, outcome, actor, target, address, request_id, details, hash)
SELECT workspace_id, seq, at, %(action)s, %(outcome)s, %(actor)s, %(target)s, %(address)s, %(request_id)s,
    %(details)s::jsonb, hash
FROM moved RETURNING seq"""

_BEGIN = """
INSERT INTO audit_audithead (workspace_id, seq, hash) VALUES (%(workspace_id)s, 0, decode(repeat('00', 32), 'hex'))
ON CONFLICT (workspace_id) DO NOTHING RETURNING seq"""


SERVER = "server"
"""Who did what no request asked for: a command on the server's machine, or the server of its own accord."""


def record(
    action: Action,
    *,
    workspace_id: uuid.UUID,
    by: str = "",
    target: str = "",
    details: Mapping[str, Any] | None = None,
    outcome: Outcome = Outcome.DONE,
) -> int:
    """Append an entry to the workspace's chain; returns its number. `by` (empty: whoever calls, else the server itself)
    did it, or was refused, to `target`.

    Details never hold a secret. Where the caller is (address, request), and which one of its name, is known from the
    request.
    """
    here = caller()
    words = {
        "action": str(action),
        "outcome": str(outcome),
        "actor": plain(by or here.name or SERVER)[:255],
        "target": plain(target)[:255],
        "address": here.address[:64],
        "request_id": here.request_id[:64],
        "details": plain({**(details or {}), **({"caller": here.identity} if here.identity else {})}),
    }
    params = {
        **words,
        "details": orjson.dumps(words["details"]).decode(),
        "words": spelling(**words),
        "workspace_id": workspace_id,
    }
    with acting(of_workspaces(workspace_id)):
        ((seq,),) = execute(_APPEND, params) or _first(params)
    return int(seq)


def _first(params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The workspace's first entry: its chain begins."""
    execute(_BEGIN, {"workspace_id": params["workspace_id"]})
    return execute(_APPEND, params)
