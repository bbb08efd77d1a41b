"""Reading workers: who is here, what they can run, and why a task still waits."""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from apps.codebases.selectors import codebases_of
from apps.core.prepared import execute
from apps.tasks.selectors import GLOBAL_QUEUE, PENDING_QUEUE
from apps.tasks.services import KEPT_BY, Claimer, kept_by
from apps.workers.errors import not_registered
from apps.workers.models import Worker

AGENT_PATH = "/a2a/agents/{role}"
"""Where the agent of a role is spoken to by A2A; the name is quoted, because it may hold anything."""
AGENT_CARD_PATH = f"{AGENT_PATH}/.well-known/agent-card.json"
BEATS_PER_LEASE = 4
BEATS_WHILE_FOUND = 2
HEARTBEAT_MOST_SECONDS = 45.0


def workers_of(workspace_id: uuid.UUID) -> QuerySet[Worker]:
    """All workers that ever registered in a workspace, by name, each with `is_here`."""
    seen: dict[str, Any] = {"is_here": here()}  # declared on the model, of which the type checker's plugin complains
    return Worker.objects.filter(workspace_id=workspace_id).annotate(**seen).order_by("name", "worker_id")


def worker_get(*, workspace_id: uuid.UUID, worker_id: str) -> Worker:
    """The worker, or WorkerNotFoundError."""
    found = workers_of(workspace_id).filter(worker_id=worker_id).first()
    if found is None:
        raise not_registered()
    return found


def connected_workers(workspace_id: uuid.UUID) -> list[Worker]:
    """Workers heard of within `A2A_AGENT_DISCOVERY_MAX_AGE` seconds that have not said goodbye."""
    return list(workers_of(workspace_id).filter(here()))


def connected_machines(workspace_id: uuid.UUID) -> list[Worker]:
    """Those of them that are machines with code: the bridge to remote agents is a worker, but none of these."""
    return [worker for worker in connected_workers(workspace_id) if not worker.is_bridge]


def connected_count() -> int:
    """How many machines are connected, in all workspaces."""
    return Worker.objects.filter(here(), only_targeted=False).count()


_PRESENT = """
SELECT FROM workers_worker w WHERE w.workspace_id = %(workspace_id)s AND w.worker_id = %(worker_id)s
    AND w.unregistered_at IS NULL AND NOT w.only_targeted
    AND w.last_seen_at >= statement_timestamp() - make_interval(secs => %(seconds)s)"""


def is_machine_here(*, workspace_id: uuid.UUID, worker_id: str) -> bool:
    """Whether this machine is connected."""
    seconds = float(settings.A2A_AGENT_DISCOVERY_MAX_AGE)
    return bool(execute(_PRESENT, {"workspace_id": workspace_id, "worker_id": worker_id, "seconds": seconds}))


def heartbeat_seconds() -> float:
    """How often a worker is to show that it lives: well within its leases, and so that it stays to be found."""
    found_for = settings.A2A_AGENT_DISCOVERY_MAX_AGE / BEATS_WHILE_FOUND
    return min(settings.LEASE_SECONDS / BEATS_PER_LEASE, found_for, HEARTBEAT_MOST_SECONDS)


def here() -> Q:
    """Whether a worker is connected, for a query. By the database's clock, which also says when it was seen."""
    since = Now() - timedelta(seconds=settings.A2A_AGENT_DISCOVERY_MAX_AGE)
    return Q(last_seen_at__gte=since, unregistered_at=None)


def serving(codebase_id: Any, bound_to: Any) -> Q:
    """Whether a worker takes the tasks of a codebase that is bound to the worker `bound_to`, for a query.

    As `queues_of` says it. Give OuterRefs in a query over codebases.
    """
    has = Q(worker_id=bound_to) | Q(codebases__contains=[codebase_id])
    return has & (Q(serves=None) | Q(serves__contains=[codebase_id]))


def worker_facts(worker: Worker) -> dict[str, Any]:
    """A worker as clients see it."""
    connected = worker.is_here
    return {
        "worker_id": worker.worker_id,
        "name": worker.name,
        "hostname": worker.hostname,
        "version": worker.version,
        "kind": "bridge" if worker.is_bridge else "worker",
        "capabilities": worker.capabilities,
        "programs": worker.programs,
        "models": worker.offered_models,
        "agents": worker.agents,
        "codebases": worker.codebases,
        "global_codebase_id": worker.global_codebase_id or None,
        "concurrency": worker.concurrency,
        "draining": worker.draining,
        "stopping": worker.stopping,
        "status": "draining" if connected and worker.drains else "active" if connected else "offline",
        "connected": connected,
        "registered_at": worker.registered_at,
        "last_seen": worker.last_seen_at,
    }


def queues_of(worker: Worker, bound: Iterable[str] | None = None) -> list[str]:
    """The queues that a worker serves: its codebases, `__pending__`, and `global` where it has a global codebase.

    Of these only what its token names, where that is bound to codebases.

    `bound`: the ids of the codebases bound to it, where the caller has them.
    """
    if bound is None:
        bound = codebases_of(worker.workspace_id).filter(worker_id=worker.worker_id).values_list("id", flat=True)
    shared = [GLOBAL_QUEUE] if worker.global_codebase_id else []
    queues = sorted({*worker.codebases, *bound}) + shared + [PENDING_QUEUE]
    return queues if worker.serves is None else [queue for queue in queues if queue in worker.serves]


_SERVING = """
SELECT w.worker_id, w.concurrency, w.draining, w.stopping, w.capabilities, w.offered_models::text, w.agents::text,
    w.codebases, w.global_codebase_id, w.only_targeted, w.serves, ARRAY(SELECT c.id FROM codebases_codebase c
        WHERE c.workspace_id = w.workspace_id AND c.worker_id = w.worker_id AND c.status <> 'removed'),
    EXISTS (SELECT FROM codebases_variable v WHERE v.workspace_id = w.workspace_id)
FROM workers_worker w WHERE w.workspace_id = %(workspace_id)s"""
_ONE = f"{_SERVING} AND w.worker_id = %(worker_id)s"
_HERE = f"""{_SERVING} AND w.unregistered_at IS NULL
    AND w.last_seen_at >= statement_timestamp() - make_interval(secs => %(seconds)s)"""


class Admission(NamedTuple):
    """What stands before a claim; `has_variables`: whether any are set in the workspace."""

    claimer: Claimer
    draining: bool
    has_variables: bool


def claimer_get(*, workspace_id: uuid.UUID, worker_id: str, roles: Iterable[str] = ()) -> Admission:
    """What a worker may take, and whether it drains; WorkerNotFoundError where there is none.

    As `claimer_of(worker_get(...))`, by one prepared statement: it stands before each claim, and costs a tenth of
    the ORM's two.
    """
    rows = execute(_ONE, {"workspace_id": workspace_id, "worker_id": worker_id})
    if not rows:
        raise not_registered()
    worker, bound = _served(workspace_id, rows[0])
    return Admission(claimer_of(worker, roles=roles, bound=bound), worker.drains, rows[0][-1])


def crew(workspace_id: uuid.UUID) -> list[tuple[Worker, Claimer]]:
    """The connected workers, and what each may take: as `connected_workers`, by one prepared statement."""
    params = {"workspace_id": workspace_id, "seconds": float(settings.A2A_AGENT_DISCOVERY_MAX_AGE)}
    served = [_served(workspace_id, row) for row in execute(_HERE, params)]
    return [(worker, claimer_of(worker, bound=bound)) for worker, bound in served]


def _served(workspace_id: uuid.UUID, row: tuple[Any, ...]) -> tuple[Worker, list[str]]:
    """A worker with what its claims depend on, and the codebases that are bound to it."""
    worker_id, concurrency, draining, stopping, capabilities, models, agents, *places, serves, bound, _ = row
    codebases, shared, targeted = places
    worker = Worker(
        workspace_id=workspace_id,
        worker_id=worker_id,
        concurrency=concurrency,
        draining=draining,
        stopping=stopping,
        capabilities=capabilities,
        offered_models=orjson.loads(models),
        agents=orjson.loads(agents),
        codebases=codebases,
        global_codebase_id=shared,
        only_targeted=targeted,
        serves=serves,
    )
    return worker, bound


def _claimed(capabilities: Iterable[str]) -> list[str]:
    """What a worker says it can do, without what only another one may say."""
    return [name for name in capabilities if not name.startswith(KEPT_BY)]


def claimer_of(worker: Worker, *, roles: Iterable[str] = (), bound: Iterable[str] | None = None) -> Claimer:
    """What a worker may take. A model is found by its full id and by the part after the provider."""
    ids = [model["id"] for model in worker.offered_models]
    return Claimer(
        workspace_id=worker.workspace_id,
        worker_id=worker.worker_id,
        queues=queues_of(worker, bound),
        capabilities=[*_claimed(worker.capabilities), kept_by(worker.worker_id)],
        models=sorted({*ids, *(name.partition("/")[2] for name in ids if "/" in name)}),
        roles=sorted({*(agent["role"] for agent in worker.agents), *filter(None, roles)}),
        only_targeted=worker.only_targeted,
    )
