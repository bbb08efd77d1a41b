"""Claimed tasks as their holder gets them, with what their agents get into their environment.

A secret goes over TLS, or to this very machine, or over a network that the operator has named for it. A task whose
secrets cannot be given to who has claimed it goes back into the queue for a while, and says so.
"""

import ipaddress
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from starlette.requests import HTTPConnection

from apps.codebases.variable_selectors import Environment, environments_for
from apps.core.addresses import allow_list
from apps.tasks.errors import AlreadyClaimedError
from apps.tasks.selectors import (
    answer_for_holder,
    codebase_of,
    files_for_holder,
    metadata_for_holder,
    task_facts,
    with_codebases,
)
from apps.tasks.services import REGISTER_CODEBASE, WORKING_TREE, Claim, Claimer, task_claim, task_snooze

if TYPE_CHECKING:
    import uuid

    from apps.tasks.models import Task

log = logging.getLogger(__name__)

WITHHELD_SECONDS = 60.0
"""Until a task is offered again whose secrets could not be given."""
TRIES = 5
"""How often a claim looks for another task instead of one of those."""
NEEDS_TLS = (
    "its secrets are given over TLS only, and its worker is connected without: use https for the worker's server "
    "address, or name its network in A2A_SECRETS_PLAIN_NETWORKS"
)
NOTHING = Environment()
CHORES = frozenset({REGISTER_CODEBASE, WORKING_TREE})
"""What workers do themselves, without an agent."""


def is_guarded(connection: HTTPConnection) -> bool:
    """Whether nobody on the way can read what is answered: TLS, as far as the nearest proxy that we trust tells, or
    no way at all, or a network of `A2A_SECRETS_PLAIN_NETWORKS`."""
    if connection.url.scheme in ("https", "wss"):
        return True
    try:
        address = ipaddress.ip_address(connection.client.host if connection.client else "")
    except ValueError:
        return False
    return address.is_loopback or allow_list(tuple(settings.SECRETS_PLAIN_NETWORKS)).lists_address(address)


def claim_with_environment(
    *, claimer: Claimer, limit: int, task_id: "uuid.UUID | None", has_variables: bool, guarded: bool
) -> "list[tuple[Task, Environment]]":
    """Claim tasks, each with what its agent gets. Without variables in the workspace this costs nothing."""
    for _ in range(TRIES):
        tasks = with_codebases(task_claim(claimer=claimer, limit=limit, task_id=task_id))
        if not tasks or not has_variables:
            return [(task, NOTHING) for task in tasks]
        given = _given(tasks, guarded=guarded)
        if given:
            return given
        if task_id is not None:
            raise AlreadyClaimedError("The task's secrets cannot be given to this worker now; its log says why.")
    return []


def _given(tasks: "Sequence[Task]", *, guarded: bool) -> "list[tuple[Task, Environment]]":
    found = environments_for(tasks[0].workspace_id, [task for task in tasks if task.agent_type not in CHORES])
    given = []
    for task in tasks:
        environment = found.get(task.id, NOTHING)
        trouble = environment.trouble or ("" if guarded or not environment.secrets else NEEDS_TLS)
        if trouble:
            _put_off(task, trouble)
        else:
            given.append((task, environment))
    return given


def _put_off(task: "Task", why: str) -> None:
    assert task.claim_token is not None  # noqa: S101 (it was claimed just now)
    log.warning("task %s is put off: %s", task.id, why)
    claim = Claim(task.workspace_id, task.id, task.claim_token)
    task_snooze(claim=claim, seconds=WITHHELD_SECONDS, reason=why)


def claim_facts(task: "Task", environment: Environment) -> dict[str, Any]:
    """A claimed task as its holder gets it: the facts, the token, the lease, where the code is, and what its agent is
    to have in its environment. Nobody else is ever told of that."""
    codebase = codebase_of(task)
    return {
        **task_facts(task),
        "metadata": metadata_for_holder(task),
        "claim_token": str(task.claim_token),
        "lease_expires_at": task.lease_expires_at,
        "lease_seconds": settings.LEASE_SECONDS,
        "message_seq": task.heard_seq,
        "files": files_for_holder(task),
        "answer": answer_for_holder(task),
        "codebase": codebase
        and {
            "id": codebase.id,
            "name": codebase.name,
            "path": codebase.path,
            "agent_config": codebase.agent_config,
        },
        **_environment_facts(environment),
    }


def _environment_facts(environment: Environment) -> dict[str, Any]:
    """Nothing where there is nothing to tell."""
    if not environment.values:
        return {}
    return {"environment": dict(environment.values), "secrets": list(environment.secrets)}
