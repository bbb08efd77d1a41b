"""Whose a worker's id is: the token's that registered it, as long as that token counts.

Another worker's token may have the id once that worker has left or fallen silent; admins may act for any. A token that
was rotated is the same one, and a person's tokens may stand in for each other. Workers that registered by a token of
the settings, or before this was kept, are nobody's.
"""

import time
import uuid

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal, token_that_counts
from apps.workers.errors import worker_of_another_token
from apps.workers.models import Worker
from apps.workers.selectors import workers_of

REMEMBER_SECONDS = 5.0
REMEMBER_AT_MOST = 10_000
_Key = tuple[uuid.UUID, str, str]
_known: dict[_Key, float] = {}
"""Until when it need not be asked again that somebody may act for a worker (docs/decisions/0006)."""


def check_own(principal: Principal, worker_id: str) -> None:
    """ForbiddenError where the worker's id is another token's."""
    if Scope.ADMIN in principal.scopes:
        return
    key = (principal.workspace_id, worker_id, principal.identity)
    if _known.get(key, 0.0) > time.monotonic():
        return
    if _is_anothers(principal, workers_of(principal.workspace_id).filter(worker_id=worker_id).first()):
        _known.pop(key, None)
        raise worker_of_another_token()
    if len(_known) >= REMEMBER_AT_MOST:
        _known.clear()
    _known[key] = time.monotonic() + REMEMBER_SECONDS


def check_takes(principal: Principal, worker_id: str) -> None:
    """ForbiddenError where a connected worker of this id is another token's."""
    there = workers_of(principal.workspace_id).filter(worker_id=worker_id).first()
    if there is not None and there.is_here and Scope.ADMIN not in principal.scopes and _is_anothers(principal, there):
        raise worker_of_another_token()


def _is_anothers(principal: Principal, worker: Worker | None) -> bool:
    if worker is None or worker.token_id is None or worker.token_id == principal.token_id:
        return False
    owner = token_that_counts(worker.token_id)
    return owner is not None and (owner.user_id is None or owner.user_id != principal.user_id)
