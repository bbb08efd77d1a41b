"""How PostgreSQL goes about the claim: the plan of the product's own statement, run and rolled back."""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

from django.db import connection, transaction
from psycopg import sql

from apps.core.prepared import _numbered
from apps.tasks.services import Claimer, task_claim
from apps.tasks.services.statements import claiming

Node = dict[str, Any]


def claim_statement(workspace_id: uuid.UUID, queue: str, limit: int) -> tuple[str, Mapping[str, Any]]:
    """The statement of a claim and its parameters, as `task_claim` sends them. Nothing is claimed."""
    with mock.patch.object(claiming, "execute", return_value=[]) as execute:
        task_claim(claimer=Claimer(workspace_id, "bench", sorted({queue, "global", "__pending__"})), limit=limit)
    statement, params = execute.call_args_list[0].args
    return statement, params


def plan_of(workspace_id: uuid.UUID, queue: str = "global", *, limit: int = 1, generic: bool = True) -> Node:
    """The plan of a claim with what it took (EXPLAIN ANALYZE); what it claims is rolled back.

    `generic`: as for a prepared statement whose plan no longer looks at its parameters, which is what a connection
    of the product comes to use.
    """
    statement, params = claim_statement(workspace_id, queue, limit)
    numbered, names = _numbered(statement)
    values = sql.SQL(", ").join(sql.Literal(params[name]) for name in names)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL plan_cache_mode = force_{'generic' if generic else 'custom'}_plan")
        cursor.execute(f"PREPARE explained_claim AS {numbered.replace('%', '%%')}", [])
        cursor.execute(sql.SQL("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained_claim ({})").format(values))
        ((found,),) = cursor.fetchall()
        cursor.execute("DEALLOCATE explained_claim")
        transaction.set_rollback(True)
    (plan,) = json.loads(found) if isinstance(found, str) else found
    top: Node = plan["Plan"]
    return top


def nodes(plan: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def blocks(node: Node) -> int:
    """Blocks of 8 KB that the node and all below it have looked at."""
    return int(node["Shared Hit Blocks"]) + int(node["Shared Read Blocks"])


def explained(workspace_id: uuid.UUID, queue: str) -> str:
    """What the claim of one task does with the table of tasks, one line for each node of its plan."""
    plan = plan_of(workspace_id, queue)
    lines = [f"plan of a claim: {blocks(plan)} blocks in all"]
    for node in nodes(plan):
        if node.get("Relation Name") == "tasks_task":
            index = f" by {node['Index Name']}" if "Index Name" in node else ""
            rows = node["Actual Rows"] * node["Actual Loops"]
            lines.append(f"  {node['Node Type']} of tasks_task{index}: {rows:g} rows, {blocks(node)} blocks")
    return "\n".join(lines)
