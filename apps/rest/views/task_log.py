"""What happened in a task: its log and output; and what workers of before report by REST."""

import uuid
from typing import TYPE_CHECKING, Any

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.errors import InvalidError
from apps.core.ids import parse_id
from apps.rest import answers
from apps.rest.bodies import ClaimedBody, OutputBody, StatusBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.queries import LogQuery
from apps.tasks import log
from apps.tasks.errors import StaleClaimError
from apps.tasks.selectors import output_chunks, task_facts, task_get
from apps.tasks.services import Claim, Outcome, event_from_worker, lease_renew, task_finish, task_progress
from apps.tasks.states import State
from apps.workers.bounds import check_tasks

if TYPE_CHECKING:
    from apps.tasks.models import Task


class Events(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.LogPage)
    def get(self, task_id: str, query: LogQuery) -> Answer:
        """The task's log after `after_seq`."""
        task = task_get(workspace_id=self.caller.workspace_id, task_id=task_id)
        page = log.read(task.id, query.after_seq, query.limit)
        shown = [
            {"seq": event.seq, "kind": event.kind, "data": event.data, "created_at": event.created_at} for event in page
        ]
        return {**_place(task, query, shown), "events": shown}


class Output(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.OutputPage)
    def get(self, task_id: str, query: LogQuery) -> Answer:
        """What the task's agent has said after `after_seq`, in chunks."""
        task = task_get(workspace_id=self.caller.workspace_id, task_id=task_id)
        chunks = output_chunks(task.id, after_seq=query.after_seq, limit=query.limit)
        return {**_place(task, query, chunks), "output": chunks}

    @operation(Scope.WORKER, answers=answers.OutputTaken)
    def post(self, task_id: str, body: OutputBody) -> Answer:
        """A worker that holds the task reports output."""
        content = body.output or body.content
        if not content:
            raise InvalidError("There is no output.", errors={"output": ["Give a text."]})
        task = _of_worker(self.caller, task_id)
        said = event_from_worker("output", {"type": body.type, "content": content})
        after = task_progress(claim=_claim(task, body), reported=[said])
        return {"success": True, "last_seq": after.last_seq}


def _of_worker(caller: Principal, task_id: str) -> "Task":
    """The task, of a codebase that the worker's token is for."""
    task = task_get(workspace_id=caller.workspace_id, task_id=task_id)
    check_tasks(caller, task.id)
    return task


def _place(task: "Task", query: LogQuery, shown: list[dict[str, Any]]) -> dict[str, Any]:
    """Where a part of the log ends, and where the log does."""
    return {
        "task_id": str(task.id),
        "status": task.state,
        "next_after_seq": shown[-1]["seq"] if shown else query.after_seq,
        "last_seq": task.last_seq,
    }


class Status(Endpoint):
    @operation(Scope.WORKER, answers=answers.TaskChanged)
    def put(self, task_id: str, body: StatusBody) -> Answer:
        """A worker that holds the task says that it goes on, or how it ended."""
        task = _of_worker(self.caller, task_id)
        claim = _claim(task, body)
        if body.status == "running":
            return _answer(_go_on(claim, body))
        outcome = Outcome(
            status=State(body.status),
            result=body.result,
            error=body.error,
            error_code=body.error_code,
            session_id=body.session_id,
            usage=_usage(body),
        )
        return _answer(task_finish(claim=claim, outcome=outcome))


def _go_on(claim: Claim, body: StatusBody) -> "Task":
    reported = [event_from_worker("session", {"session_id": body.session_id})] if body.session_id else []
    task = task_progress(claim=claim, reported=reported)
    lease_renew(workspace_id=claim.workspace_id, claims={claim.task_id: claim.token})
    return task


def _usage(body: StatusBody) -> dict[str, Any]:
    """The totals, checked as those in the worker protocol are."""
    return event_from_worker("usage", body.usage).data


def _answer(task: "Task") -> Answer:
    return {"success": True, "task": task_facts(task), "message": f"The task is {task.state}."}


def _claim(task: "Task", body: ClaimedBody) -> Claim:
    """The claim that a worker writes under: its token, else the one that the server holds for it and this task."""
    token: uuid.UUID | None = task.claim_token
    if body.claim_token:
        token = parse_id(body.claim_token)
    elif not body.worker_id or task.worker_id != body.worker_id:
        token = None
    if token is None:
        raise StaleClaimError("This worker holds no claim on the task: claim it first.")
    return Claim(task.workspace_id, task.id, token)
