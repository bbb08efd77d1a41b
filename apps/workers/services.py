"""What changes workers: they register, say what they can do, show that they live, and leave."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from apps.audit.actions import Action
from apps.audit.recording import record
from apps.core.prepared import execute
from apps.tasks.selectors import GLOBAL_QUEUE, held_claims, steering_after, why_lost
from apps.tasks.services import Lease, lease_renew
from apps.workers.bounds import allowed, is_within
from apps.workers.errors import foreign_worker, not_registered
from apps.workers.models import Worker
from apps.workers.selectors import worker_get, workers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a worker says of itself."""

    worker_id: str
    name: str
    hostname: str = ""
    version: str = ""
    capabilities: Sequence[str] = ()
    models: Sequence[Mapping[str, Any]] = ()
    agents: Sequence[Mapping[str, Any]] = ()
    programs: Sequence[Mapping[str, Any]] = ()
    codebases: Sequence[str] = ()
    global_codebase_id: str = ""
    concurrency: int | None = None
    only_targeted: bool = False


def worker_register(
    *,
    workspace_id: uuid.UUID,
    registration: Registration,
    serves: Collection[str] | None = None,
    token_id: uuid.UUID | None = None,
) -> Worker:
    """Note a worker and what it can do; registering again replaces what it said before.

    `serves`: the only codebases that it may serve, whatever it says; then ForbiddenError where a connected worker that
    may serve others has this id. `token_id`: the token that it showed, where it is one of the database.
    """
    said = {
        "name": registration.name,
        "hostname": registration.hostname,
        "version": registration.version,
        "capabilities": list(registration.capabilities),
        "offered_models": [dict(model) for model in registration.models],
        "agents": [dict(agent) for agent in registration.agents],
        "programs": [dict(program) for program in registration.programs],
        "codebases": allowed(registration.codebases, serves),
        "global_codebase_id": registration.global_codebase_id if allowed([GLOBAL_QUEUE], serves) else "",
        "serves": None if serves is None else sorted(serves),
        "token_id": token_id,
        "concurrency": registration.concurrency,
        "only_targeted": registration.only_targeted,
        "last_seen_at": Now(),
        "unregistered_at": None,
        "stopping": False,
    }
    with transaction.atomic():
        if serves is not None:
            _check_free(workspace_id, registration.worker_id, serves)
        Worker.objects.update_or_create(workspace_id=workspace_id, worker_id=registration.worker_id, defaults=said)
    return worker_get(workspace_id=workspace_id, worker_id=registration.worker_id)


def _check_free(workspace_id: uuid.UUID, worker_id: str, serves: Collection[str]) -> None:
    """A token that is bound to codebases takes no connected worker's place that serves others."""
    there = workers_of(workspace_id).select_for_update(no_key=True).filter(worker_id=worker_id).first()
    if there is not None and there.is_here and not is_within(there, serves):
        raise foreign_worker()


def worker_unregister(*, workspace_id: uuid.UUID, worker_id: str) -> None:
    """The worker says goodbye; it stays in the history. What it holds is rescued when its leases end."""
    _update(workspace_id, worker_id, unregistered_at=Now())


def worker_codebases_set(*, workspace_id: uuid.UUID, worker_id: str, codebases: Sequence[str]) -> None:
    """Replace the list of codebases that the worker serves beside those bound to it."""
    _update(workspace_id, worker_id, codebases=list(codebases), last_seen_at=Now())


def worker_drain(*, workspace_id: uuid.UUID, worker_id: str, draining: bool, by: str) -> Worker:
    """Ask a worker to take nothing new (it hears with its next heartbeat), or take that back."""
    with transaction.atomic():
        _update(workspace_id, worker_id, draining=draining)
        said = {"draining": draining}
        record(Action.WORKER_DRAIN, workspace_id=workspace_id, by=by, target=f"worker:{worker_id}", details=said)
    return worker_get(workspace_id=workspace_id, worker_id=worker_id)


_SEEN = """
UPDATE workers_worker SET last_seen_at = statement_timestamp(), unregistered_at = NULL,
    stopping = coalesce(%(stopping)s, stopping)
WHERE workspace_id = %(workspace_id)s AND worker_id = %(worker_id)s RETURNING draining"""


def worker_seen(*, workspace_id: uuid.UUID, worker_id: str, stopping: bool | None = None) -> bool:
    """The worker lives; whether it is to take nothing new. Every worker says so all the time: one statement.

    `stopping`: whether it takes nothing new of its own accord; None where it says nothing of that.
    """
    rows = execute(_SEEN, {"workspace_id": workspace_id, "worker_id": worker_id, "stopping": stopping})
    if not rows:
        raise not_registered()
    return bool(rows[0][0])


def _update(workspace_id: uuid.UUID, worker_id: str, **changes: Any) -> None:
    if not Worker.objects.filter(workspace_id=workspace_id, worker_id=worker_id).update(**changes):
        raise not_registered()


@dataclass(frozen=True, slots=True)
class HeldClaim:
    """A claim that a worker believes it holds; `message_seq` is the last steering event that it has heard."""

    task_id: uuid.UUID
    token: uuid.UUID
    message_seq: int = 0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The answer: which claims hold, which must stop (and why), and what their holders must hear."""

    leases: list[Lease]
    lost: dict[uuid.UUID, str]
    messages: list[dict[str, Any]] = field(default_factory=list)
    draining: bool = False


def worker_heartbeat(
    *, workspace_id: uuid.UUID, worker_id: str, claims: Sequence[HeldClaim] | None, stopping: bool | None = None
) -> Heartbeat:
    """Renew the leases of `claims` (None, from workers of before: all that it holds) and gather what is new."""
    draining = worker_seen(workspace_id=workspace_id, worker_id=worker_id, stopping=stopping)
    if claims is None:
        claims = [HeldClaim(*row) for row in held_claims(workspace_id=workspace_id, worker_id=worker_id)]
    leases = lease_renew(
        workspace_id=workspace_id,
        claims={claim.task_id: claim.token for claim in claims},
        heard={claim.task_id: claim.message_seq for claim in claims},
    )
    held = {lease.task_id: lease for lease in leases}
    lost = [claim.task_id for claim in claims if claim.task_id not in held]
    return Heartbeat(
        leases=leases,
        lost=why_lost(workspace_id, lost),
        messages=[message for claim in claims for message in _news(claim, held.get(claim.task_id))],
        draining=draining,
    )


def _news(claim: HeldClaim, lease: Lease | None) -> list[dict[str, Any]]:
    if lease is None or lease.steering_seq <= claim.message_seq:
        return []
    return [steering_message(claim.task_id, event) for event in steering_after(claim.task_id, claim.message_seq)]


def steering_message(task_id: uuid.UUID, event: Mapping[str, Any]) -> dict[str, Any]:
    """A steering event as the worker protocol tells it: kind message, interrupt or input."""
    if event["kind"] == "answered":
        kind = "input"
    else:
        kind = "interrupt" if event["interrupt"] else "message"
    return {
        "task_id": str(task_id),
        "seq": event["seq"],
        "kind": kind,
        "message": event["message"],
        "data": event.get("data", {}),
        "by": event["by"],
    }
