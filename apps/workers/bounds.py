"""What a worker's token that is bound to codebases may not do. Tokens that are not bound cost nothing here."""

import uuid
from collections.abc import Collection, Iterable

from apps.accounts.principals import Principal
from apps.tasks.selectors import placed_codebase, task_get
from apps.workers.errors import foreign_worker
from apps.workers.models import Worker
from apps.workers.owning import check_own
from apps.workers.selectors import worker_get


def allowed(codebases: Iterable[str], serves: Collection[str] | None) -> list[str]:
    """Those of `codebases` that are in `serves` (None: all)."""
    return [one for one in codebases if serves is None or one in serves]


def is_within(worker: Worker, serves: Collection[str]) -> bool:
    """Whether the worker serves nothing but these."""
    return worker.serves is not None and set(worker.serves) <= set(serves)


def check_worker(principal: Principal, worker_id: str) -> None:
    """ForbiddenError where the worker serves more than the caller's token is for; WorkerNotFoundError for none."""
    if principal.codebases is None:
        return
    if not is_within(worker_get(workspace_id=principal.workspace_id, worker_id=worker_id), principal.codebases):
        raise foreign_worker()


def check_acts_as(principal: Principal, worker_id: str) -> None:
    """The same for what only the worker itself does: ForbiddenError also where its id is another token's."""
    check_worker(principal, worker_id)
    check_own(principal, worker_id)


def check_tasks(principal: Principal, *task_ids: uuid.UUID) -> None:
    """ForbiddenError where a task is of another codebase than the caller's token is for; TaskNotFoundError for none."""
    if principal.codebases is None:
        return
    for task_id in task_ids:
        principal.require_codebase(
            placed_codebase(task_get(workspace_id=principal.workspace_id, task_id=task_id)) or ""
        )
