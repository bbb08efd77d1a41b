"""The worker protocol, over HTTP (contract: Workers). Each endpoint reads, calls one service and answers."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from apps.accounts.gate import json_object, json_response
from apps.accounts.principals import Principal
from apps.core import jsontext
from apps.core.db import in_database
from apps.core.errors import MalformedError
from apps.core.ids import parse_id
from apps.tasks.errors import AlreadyClaimedError, StaleClaimError, TaskNotFoundError
from apps.tasks.selectors import (
    held_claims,
)
from apps.tasks.services import (
    Claim,
    Outcome,
    event_from_worker,
    task_decline,
    task_finish,
    task_leave_question,
    task_progress,
    task_snooze,
)
from apps.tasks.states import State
from apps.workers import reading, services
from apps.workers.bounds import allowed, check_acts_as, check_tasks, check_worker
from apps.workers.claiming import claim_facts, claim_with_environment, is_guarded
from apps.workers.owning import check_own, check_takes
from apps.workers.selectors import claimer_get, connected_workers, heartbeat_seconds, worker_facts, worker_get

if TYPE_CHECKING:
    from apps.tasks.models import Task
    from apps.workers.models import Worker

EVENTS_LIMIT = 500
DRAINING = "draining"
"""What a heartbeat says of a worker that takes nothing new of its own accord."""


async def register(request: Request, principal: Principal) -> Response:
    registration = reading.registration(await json_object(request))
    worker = await in_database(_register, principal, registration)
    return json_response(
        {
            "success": True,
            "worker_id": worker.worker_id,
            "message": f"Worker {worker.name} is registered.",
            "lease_seconds": settings.LEASE_SECONDS,
            "heartbeat_interval": heartbeat_seconds(),
            "worker": worker_facts(worker),
        }
    )


def _register(principal: Principal, registration: services.Registration) -> "Worker":
    check_takes(principal, registration.worker_id)
    return services.worker_register(
        workspace_id=principal.workspace_id,
        registration=registration,
        serves=principal.codebases,
        token_id=principal.token_id,
    )


async def heartbeat(request: Request, principal: Principal) -> Response:
    body = await json_object(request)
    claims = reading.listed(body, "claims", reading.held_claim) if "claims" in body else None
    stopping = reading.text(body, "status") == DRAINING if "status" in body else None
    beat = await in_database(_heartbeat, principal, request.path_params["worker_id"], claims, stopping)
    return json_response(
        {
            "success": True,
            "leases": [{"task_id": lease.task_id, "lease_expires_at": lease.expires_at} for lease in beat.leases],
            "cancel": [{"task_id": task_id, "reason": reason} for task_id, reason in beat.lost.items()],
            "messages": beat.messages,
            "drain": beat.draining,
        }
    )


def _heartbeat(
    principal: Principal, worker_id: str, claims: Sequence[services.HeldClaim] | None, stopping: bool | None
) -> services.Heartbeat:
    check_acts_as(principal, worker_id)
    check_tasks(principal, *(claim.task_id for claim in claims or ()))
    return services.worker_heartbeat(
        workspace_id=principal.workspace_id, worker_id=worker_id, claims=claims, stopping=stopping
    )


async def drain(request: Request, principal: Principal) -> Response:
    body = await json_object(request)
    if "drain" not in body:
        raise reading.invalid("drain", "Give true or false.")
    draining = reading.flag(body, "drain")
    return json_response(await in_database(_drain, principal, request.path_params["worker_id"], draining))


def _drain(principal: Principal, worker_id: str, draining: bool) -> dict[str, Any]:
    check_worker(principal, worker_id)
    worker = services.worker_drain(
        workspace_id=principal.workspace_id, worker_id=worker_id, draining=draining, by=principal.name
    )
    return {"success": True, "worker": worker_facts(worker)}


async def unregister(request: Request, principal: Principal) -> Response:
    await json_object(request)
    worker_id = request.path_params["worker_id"]
    await in_database(check_acts_as, principal, worker_id)
    await in_database(services.worker_unregister, workspace_id=principal.workspace_id, worker_id=worker_id)
    return json_response({"success": True, "message": f"Worker {worker_id} has left."})


async def codebases(request: Request, principal: Principal) -> Response:
    body = await json_object(request)
    wanted = allowed(reading.listed(body, "codebases", reading.word), principal.codebases)
    worker_id = reading.text(body, "worker_id", required=True)
    await in_database(check_acts_as, principal, worker_id)
    await in_database(
        services.worker_codebases_set,
        workspace_id=principal.workspace_id,
        worker_id=worker_id,
        codebases=wanted,
    )
    return json_response({"success": True, "codebases": wanted})


async def connected(request: Request, principal: Principal) -> Response:
    found = await in_database(connected_workers, principal.workspace_id)
    workers = [worker_facts(worker) for worker in found]
    return json_response({"workers": workers, "total": len(workers)})


async def connected_one(request: Request, principal: Principal) -> Response:
    worker = await in_database(
        worker_get, workspace_id=principal.workspace_id, worker_id=request.path_params["worker_id"]
    )
    return json_response(worker_facts(worker))


async def claim(request: Request, principal: Principal) -> Response:
    return json_response(await in_database(_claim, principal, await json_object(request), None, is_guarded(request)))


async def claim_one(request: Request, principal: Principal) -> Response:
    task_id = _task_id(request.path_params["task_id"])
    return json_response(await in_database(_claim, principal, await json_object(request), task_id, is_guarded(request)))


def _claim(principal: Principal, body: Mapping[str, Any], task_id: uuid.UUID | None, guarded: bool) -> dict[str, Any]:
    worker_id = reading.text(body, "worker_id", required=True)
    limit = reading.whole(body, "limit", default=1, least=1, most=100)
    if task_id is None and body.get("task_id") is not None:
        task_id = _task_id(reading.text(body, "task_id", required=True))
    roles = [reading.text(body, "agent_name")]
    check_acts_as(principal, worker_id)
    admission = claimer_get(workspace_id=principal.workspace_id, worker_id=worker_id, roles=roles)
    if admission.draining:
        return _nothing(task_id)
    busy = set(reading.listed(body, "exclude_codebases", reading.word))
    queues = [queue for queue in admission.claimer.queues if queue not in busy]
    claimed = claim_with_environment(
        claimer=replace(admission.claimer, queues=queues),
        limit=limit,
        task_id=task_id,
        has_variables=admission.has_variables,
        guarded=guarded,
    )
    held = [claim_facts(task, environment) for task, environment in claimed]
    first = held[0] if held else None
    flat = {"task_id": first["id"], "claim_token": first["claim_token"]} if first else {}
    return {"success": True, "tasks": held, "task": first, **flat}


def _nothing(task_id: uuid.UUID | None) -> dict[str, Any]:
    """What a draining worker gets, also of a task that it names."""
    if task_id is not None:
        raise AlreadyClaimedError("This worker drains: it takes nothing new.")
    return {"success": True, "tasks": [], "task": None}


async def events(request: Request, principal: Principal) -> Response:
    body = jsontext.loads_mended(await request.body())
    if not isinstance(body, dict):
        raise MalformedError("The body must be a JSON object.")
    task_id = _task_id(request.path_params["task_id"])
    return json_response(await in_database(_events, principal, task_id, body))


def _events(principal: Principal, task_id: uuid.UUID, body: Mapping[str, Any]) -> dict[str, Any]:
    reported = body.get("events")
    if not isinstance(reported, list) or len(reported) > EVENTS_LIMIT:
        raise reading.invalid("events", f"Give a list of at most {EVENTS_LIMIT} events.")
    seqs: list[int] = []
    happened = []
    for entry in reported:
        if not isinstance(entry, dict):
            raise reading.invalid("events", "Each event must be an object.")
        happened.append(event_from_worker(entry.get("kind"), entry.get("data")))
        if entry.get("seq") is not None:
            seqs.append(reading.whole(entry, "seq", default=0, least=1, most=2**62))
    if seqs and (len(seqs) != len(reported) or sorted(set(seqs)) != seqs):
        raise reading.invalid("seq", "Number every event of a batch, each higher than the one before.")
    task = task_progress(claim=_held(principal, task_id, body), reported=happened, seqs=seqs)
    return {
        "success": True,
        "accepted": len(happened),
        "client_seq": task.client_seq,
        "task_seq": task.last_seq,
    }


async def release(request: Request, principal: Principal) -> Response:
    body = jsontext.loads_mended(await request.body())
    if not isinstance(body, dict):
        raise MalformedError("The body must be a JSON object.")
    return json_response(await in_database(_release, principal, body))


def _release(principal: Principal, body: Mapping[str, Any]) -> dict[str, Any]:
    task_id = _task_id(reading.text(body, "task_id", required=True))
    task = release_held(_held(principal, task_id, body), body)
    return {"success": True, "task_id": str(task.id), "status": task.state}


def release_held(claim: Claim, body: Mapping[str, Any]) -> "Task":
    """Do what a holder's release asks for (contract: POST /v1/worker/tasks/release)."""
    status = reading.text(body, "status") or str(State.COMPLETED)
    if status == State.PENDING:
        return _given_back(claim, body)
    if status in (State.INPUT_REQUIRED, State.AUTH_REQUIRED):
        question = reading.text(body, "question", limit=reading.TEXT_LIMIT)
        options = reading.listed(body, "options", lambda entry: entry if isinstance(entry, dict) else None)
        return task_leave_question(claim=claim, question=question, options=options, auth=status == State.AUTH_REQUIRED)
    if status not in (State.COMPLETED, State.FAILED, State.CANCELLED, State.REJECTED):
        raise reading.invalid("status", "Give completed, failed, cancelled, rejected, pending or input_required.")
    return task_finish(claim=claim, outcome=_outcome(State(status), body))


def _given_back(claim: Claim, body: Mapping[str, Any]) -> "Task":
    reason = reading.text(body, "error", limit=reading.TEXT_LIMIT)
    if reading.flag(body, "decline"):
        return task_decline(claim=claim, worker_id=reading.text(body, "worker_id", required=True), reason=reason)
    return task_snooze(claim=claim, seconds=reading.seconds(body, "retry_after"), reason=reason or "given back")


def _outcome(status: State, body: Mapping[str, Any]) -> Outcome:
    result = body.get("result")
    if result is not None and not isinstance(result, str):
        result = jsontext.dumps(result).decode()
    return Outcome(
        status=status,
        result=result or "",
        error=reading.text(body, "error", limit=reading.TEXT_LIMIT),
        error_code=reading.text(body, "error_code"),
        session_id=reading.text(body, "session_id"),
        usage=event_from_worker("usage", reading.table(body, "usage")).data,
        retry=reading.flag(body, "retry"),
        direct=reading.flag(body, "direct"),
        heard_seq=reading.whole(body, "message_seq", default=0, least=0, most=2**62) if "message_seq" in body else None,
    )


def _held(principal: Principal, task_id: uuid.UUID, body: Mapping[str, Any]) -> Claim:
    """The claim that a write shows; without a token (workers of before) the one that we hold for that worker."""
    check_tasks(principal, task_id)
    shown = reading.token(body)
    worker_id = reading.text(body, "worker_id", required=shown is None)
    if shown is not None:
        return Claim(principal.workspace_id, task_id, shown)
    check_own(principal, worker_id)
    held = held_claims(workspace_id=principal.workspace_id, worker_id=worker_id, task_id=task_id)
    if not held:
        raise StaleClaimError(f"Worker {worker_id} holds no claim on this task.")
    return Claim(principal.workspace_id, *held[0])


def _task_id(value: object) -> uuid.UUID:
    parsed = parse_id(value)
    if parsed is None:
        raise TaskNotFoundError("There is no such task.")
    return parsed
