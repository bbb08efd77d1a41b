"""The queue: how much work there is and why it waits, and the limits and pauses that operators set."""

from typing import TYPE_CHECKING

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.rest import answers
from apps.rest.bodies import LimitBody, PauseBody, PlaceBody, ReasonBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of, paged
from apps.rest.queries import Page, RunQuery
from apps.tasks.selectors import (
    TaskFilter,
    limit_facts,
    limits_of,
    run_facts,
    run_get,
    runs_counted,
    runs_page,
    task_facts,
    tasks_filtered,
    tasks_tried,
)
from apps.tasks.services import limit_set, queue_pause, queue_resume
from apps.workers.selectors import worker_get
from apps.workers.showing import queue_status

if TYPE_CHECKING:
    from apps.tasks.models import QueueLimit

PAUSED = "Paused: nothing more is claimed here until it is resumed; what runs goes on."


class QueueStatus(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.QueueStatus)
    def get(self) -> Answer:
        """How much work there is, why it waits, what bounds it, and who could take it."""
        return queue_status(self.caller.workspace_id)


class MyTasks(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.TaskPage)
    def get(self, query: Page) -> Answer:
        """List the tasks that the caller has made, newest first."""
        wanted = TaskFilter(created_by=self.caller.name)
        return page_of(tasks_filtered(self.caller.workspace_id, wanted), query, "tasks", task_facts)


class Runs(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.RunPage)
    def get(self, query: RunQuery) -> Answer:
        """List the attempts that workers have made: by task, newest first, and of each task the latest first."""
        wanted = TaskFilter(status=query.status or "", codebase_id=query.codebase_id)
        found = tasks_tried(self.caller.workspace_id, wanted, task_id=query.task_id)
        runs = [run_facts(task, run) for task, run in runs_page(found, limit=query.limit, offset=query.offset)]
        return paged(runs, query, "runs", runs_counted(found))


class OneRun(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.Run)
    def get(self, run_id: str) -> Answer:
        """Show one attempt at a task: by whom, from when to when, and how it ended."""
        return run_facts(*run_get(workspace_id=self.caller.workspace_id, run_id=run_id))


class Limits(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.LimitPage)
    def get(self, query: Page) -> Answer:
        """List what is set: how many tasks may be held at once, how many are, and what is paused."""
        return page_of(limits_of(self.caller.workspace_id), query, "limits", limit_facts)

    @operation(Scope.ADMIN, answers=answers.LimitChanged)
    def put(self, body: LimitBody) -> Answer:
        """Let at most `most` tasks be held at once here; null takes the limit away. What is held already may end."""
        _check_worker(self.caller, body)
        limit = limit_set(
            workspace_id=self.caller.workspace_id, kind=body.kind, key=body.key, most=body.most, by=self.caller.name
        )
        told = "There is no limit here any more." if body.most is None else f"At most {body.most} at once from now on."
        return _changed(limit, told)


class Pause(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.LimitChanged)
    def post(self, body: PauseBody) -> Answer:
        """Let nothing more be claimed here until it is resumed; what runs goes on."""
        _check_worker(self.caller, body)
        return _paused(self.caller, body.kind, body.key, body.reason)


class Resume(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.LimitChanged)
    def post(self, body: PlaceBody) -> Answer:
        """End a pause."""
        _check_worker(self.caller, body)
        return _resumed(self.caller, body.kind, body.key)


class PauseCodebase(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.LimitChanged)
    def post(self, codebase_id: str, body: ReasonBody) -> Answer:
        """Pause a codebase's queue (or `global`); what runs goes on."""
        return _paused(self.caller, "codebase", codebase_id, body.reason)


class ResumeCodebase(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.LimitChanged)
    def post(self, codebase_id: str) -> Answer:
        """End the pause of a codebase's queue (or of `global`)."""
        return _resumed(self.caller, "codebase", codebase_id)


def _check_worker(caller: Principal, place: PlaceBody) -> None:
    """WorkerNotFoundError for a worker that never registered: the heart knows no workers, so it takes any id."""
    if place.kind == "worker" and place.key:
        worker_get(workspace_id=caller.workspace_id, worker_id=place.key)


def _paused(caller: Principal, kind: str, key: str, reason: str) -> Answer:
    limit = queue_pause(workspace_id=caller.workspace_id, kind=kind, key=key, reason=reason, by=caller.name)
    return _changed(limit, PAUSED)


def _resumed(caller: Principal, kind: str, key: str) -> Answer:
    limit = queue_resume(workspace_id=caller.workspace_id, kind=kind, key=key, by=caller.name)
    return _changed(limit, "Resumed: what waits here may be claimed again.")


def _changed(limit: "QueueLimit | None", message: str) -> Answer:
    return {"success": True, "limit": limit and limit_facts(limit), "message": message}
