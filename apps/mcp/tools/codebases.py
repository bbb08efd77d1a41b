"""Tools about codebases: the folders with code that workers have."""

from typing import Annotated, Literal

from pydantic import Field

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.codebases.selectors import CodebaseFilter, codebase_facts, codebase_get, codebases_filtered
from apps.codebases.services import NewCodebase
from apps.codebases.shapes import Codebase
from apps.core.counting import counted
from apps.core.db import in_database
from apps.core.errors import NotFoundError
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.pages import bad_cursor, newest_first, place
from apps.mcp.tools.repeating import Answer, once
from apps.mcp.tools.words import NAME_LIMIT, PAGE, CodebaseId, Cursor, Done, Key, Limit, Listed, Query
from apps.tasks.services import codebase_remove
from apps.workers.admitting import codebase_admit

WorkerId = Annotated[
    str, Field(description="The worker on whose machine the folder is; it then takes the tasks.", max_length=NAME_LIMIT)
]


class Codebases(Listed):
    codebases: list[Codebase]


class CodebaseMade(Done):
    codebase: Codebase
    task_id: str | None


class Removed(Done):
    cancelled: list[str]


@tool(scope=Scope.CODEBASES_READ, title="List codebases", read_only=True)
async def list_codebases(
    q: Query = "",
    status: Annotated[
        Literal["pending", "active"] | None, Field(description="`active`: a worker has it; `pending`: none yet.")
    ] = None,
    worker_id: Annotated[str, Field(description="Only those of this worker.", max_length=NAME_LIMIT)] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
) -> Codebases:
    """List the folders of code that agents can work in, newest first, with the id that other tools take, the path and
    the worker that has it. Use it to find where a task belongs before create_task or set_active_codebase; `q` seeks in
    name, path and description. Gives a page of codebases; go on with next_cursor until that is null.
    """
    wanted = CodebaseFilter(status=status or "", worker_id=worker_id, q=q)
    return await in_database(_listed, principal(), wanted, limit, cursor)


def _listed(caller: Principal, wanted: CodebaseFilter, limit: int, cursor: str) -> Codebases:
    found = codebases_filtered(caller.workspace_id, wanted)
    try:
        after = codebase_get(workspace_id=caller.workspace_id, codebase_id=cursor) if cursor else None
    except NotFoundError as error:
        raise bad_cursor() from error
    rows, more = newest_first(found, limit=limit, after=after)
    shown = [codebase_facts(row) for row in rows]
    return Codebases.model_validate({"codebases": shown, **place(counted(found), more)})


@tool(scope=Scope.CODEBASES_READ, title="Show a codebase", read_only=True)
async def get_codebase(codebase_id: CodebaseId) -> Codebase:
    """Show one codebase by its id: name, path, description, the worker that has it, whether it is active, and how its
    agents are set up (agent_config: default model, iterations, limits, approvals). Use it to check a codebase before
    you hand work to it; get_current_codebase also says what its agent does right now.
    """
    found = await in_database(codebase_get, workspace_id=principal().workspace_id, codebase_id=codebase_id)
    return Codebase.model_validate(codebase_facts(found))


@tool(scope=(Scope.CODEBASES_WRITE, Scope.WORKER), title="Register a codebase", idempotent=True)
async def create_codebase(
    name: Annotated[str, Field(description="What people call it.", min_length=1, max_length=NAME_LIMIT)],
    path: Annotated[str, Field(description="The folder on the worker's machine.", min_length=1, max_length=4096)],
    description: Annotated[str, Field(description="What the code is for.", max_length=10_000)] = "",
    worker_id: WorkerId = "",
    codebase_id: Annotated[
        str,
        Field(
            description="An id of your choice; left out, one is made.", pattern=r"^[A-Za-z0-9._:-]*$", max_length=128
        ),
    ] = "",
    idempotency_key: Key = "",
) -> CodebaseMade:
    """Register a folder of code, so that agents can be given tasks in it. With worker_id it belongs to that worker at
    once; without, the connected workers are asked which of them has the path, and it stays pending until one confirms.
    The same path again brings the codebase up to date instead of making a second one. Gives the codebase, the id of
    the task that looks for its worker (or null), and what to expect.
    """
    said = {"name": name, "path": path, "description": description, "worker_id": worker_id, "codebase_id": codebase_id}
    caller = principal()

    def make() -> Answer:
        new = NewCodebase(
            name=name, path=path, description=description or None, worker_id=worker_id, codebase_id=codebase_id
        )
        return codebase_admit(caller=caller, new=new)

    made = await in_database(once, caller, idempotency_key, "create_codebase", said, make)
    return CodebaseMade.model_validate(made)


@tool(scope=Scope.CODEBASES_WRITE, title="Remove a codebase", destructive=True)
async def delete_codebase(
    codebase_id: CodebaseId,
    force: Annotated[bool, Field(description="Also while a task runs in it, which is then cancelled.")] = False,
) -> Removed:
    """Remove a codebase from CodeTether: its waiting tasks are cancelled, its variables forgotten, and nobody's active
    codebase is it any more. The folder and its code stay as they are on the worker's machine. Refused while a task
    runs in it, unless `force` is true, which cancels that task. Gives the ids of the cancelled tasks.
    """
    caller = principal()
    ended = await in_database(
        codebase_remove, workspace_id=caller.workspace_id, codebase_id=codebase_id, by=caller.name, force=force
    )
    return Removed(
        success=True, message=f"Removed; {len(ended)} tasks were cancelled.", cancelled=[str(task.id) for task in ended]
    )
