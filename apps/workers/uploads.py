"""Files of workers. What they send is one raw body each, received in pieces and never held in memory whole."""

import re
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.requests import Request
from starlette.responses import Response

from apps.accounts.gate import json_response
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.ids import parse_id
from apps.files.errors import StoredFileNotFoundError
from apps.files.selectors import WORKER, file_facts, file_get
from apps.files.services import NewFile, check_size
from apps.files.serving import file_send
from apps.tasks.errors import StaleClaimError, TaskNotFoundError
from apps.tasks.selectors import task_get
from apps.tasks.services import Claim, claim_check, task_file_store
from apps.workers.bounds import check_tasks
from apps.workers.reading import invalid

PATH = "/v1/worker/tasks/{task_id}/files"
PATH_PATTERN = re.compile(r"/v1/worker/tasks/[^/]+/files")
"""Where bodies may be as large as a file, whatever the limit of other bodies."""
TOKEN_HEADER = "x-claim-token"  # noqa: S105 (a header's name)
IN_MEMORY = 1_048_576


async def file_receive(request: Request, principal: Principal) -> Response:
    """`?name=` names the file, Content-Type says what it is, X-Claim-Token shows the claim; the body is the content."""
    claim = await in_database(_claim, principal, request)
    name = request.query_params.get("name", "")
    if not name:
        raise invalid("name", "Give the file's name in the query.")
    with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        await _receive(request, spool)
        new = NewFile(
            name=name,
            media_type=request.headers.get("content-type", ""),
            content=spool,
            origin=WORKER,
            by=request.headers.get("x-worker-id") or principal.name,
        )
        file = await in_database(task_file_store, claim=claim, new=new)
    return json_response({"success": True, "file": file_facts(file)})


def _claim(principal: Principal, request: Request) -> Claim:
    """The claim that the call shows, if it holds: nothing of the body is read for any other."""
    task_id = parse_id(request.path_params["task_id"])
    if task_id is None:
        raise TaskNotFoundError("There is no such task.")
    check_tasks(principal, task_id)
    token = parse_id(request.headers.get(TOKEN_HEADER, ""))
    if token is None:
        task_get(workspace_id=principal.workspace_id, task_id=task_id)
        raise StaleClaimError("Show the claim in the header X-Claim-Token.")
    claim = Claim(principal.workspace_id, task_id, token)
    claim_check(claim)
    return claim


async def file_fetch(request: Request, principal: Principal) -> Response:
    """GET and HEAD of a file, for workers: a token bound to codebases gets those of their tasks."""
    if principal.codebases is not None:
        await in_database(_check_file, principal, request.path_params["file_id"])
    return await file_send(request, principal)


def _check_file(principal: Principal, file_id: str) -> None:
    file = file_get(workspace_id=principal.workspace_id, file_id=file_id)
    if file.task_id is None:
        raise StoredFileNotFoundError("There is no such file.")
    check_tasks(principal, file.task_id)


async def _receive(request: Request, spool: IO[bytes]) -> None:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        check_size(size)
        spool.write(chunk)
    spool.seek(0)
