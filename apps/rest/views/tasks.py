"""Tasks: make, list, show, and what clients do to one."""

from typing import TYPE_CHECKING

from apps.accounts.permissions import Scope
from apps.codebases.selectors import codebase_get
from apps.core.errors import InvalidError
from apps.rest import answers
from apps.rest.bodies import ApprovalBody, InputBody, PriorityBody, ReasonBody, TaskBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import TaskOfCodebaseQuery, TaskQuery
from apps.rest.views.agent import wanted
from apps.tasks.selectors import (
    TaskFilter,
    task_facts,
    task_get,
    tasks_counted,
    tasks_filtered,
)
from apps.tasks.services import (
    REGISTER_CODEBASE,
    WORKING_TREE,
    NewTask,
    task_answer,
    task_cancel,
    task_create,
    task_reprioritise,
    task_requeue,
)
from apps.workers.showing import task_detail

if TYPE_CHECKING:
    import uuid

    from apps.accounts.principals import Principal
    from apps.tasks.models import Task


MADE_BY = {
    REGISTER_CODEBASE: "Register a codebase by POST /codebases.",
    WORKING_TREE: "Merge or discard by POST /tasks/ID/working-tree.",
}
"""Agent types of tasks that the server makes itself, and what it makes them of."""


class Tasks(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.TaskPage)
    def get(self, query: TaskQuery) -> Answer:
        """List tasks, newest first."""
        return _listed(self.caller, query, query.codebase_id)

    @operation(Scope.TASKS_WRITE, answers=answers.TaskChanged)
    def post(self, body: TaskBody) -> Answer:
        """Make a task; without a codebase (or with `global`) for any worker that takes such."""
        return _made(self.caller, body, body.codebase_id)


class TasksOfCodebase(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.TaskPage)
    def get(self, codebase_id: str, query: TaskOfCodebaseQuery) -> Answer:
        """List the tasks of a codebase (or of `global`), newest first."""
        if codebase_id not in ("global", "__pending__"):
            codebase_get(workspace_id=self.caller.workspace_id, codebase_id=codebase_id)
        return _listed(self.caller, query, codebase_id)

    @operation(Scope.TASKS_WRITE, answers=answers.TaskChanged)
    def post(self, codebase_id: str, body: TaskBody) -> Answer:
        """Make a task in a codebase (or `global`)."""
        return _made(self.caller, body, codebase_id)


def _listed(caller: "Principal", query: TaskOfCodebaseQuery, codebase_id: str) -> Answer:
    narrowed = TaskFilter(
        status=query.status or "",
        codebase_id=codebase_id,
        worker_id=query.worker_id,
        agent_type=query.agent_type,
        context_id=query.context_id,
        q=query.q,
    )
    found = tasks_filtered(caller.workspace_id, narrowed)
    return page_of(found, query, "tasks", task_facts, tasks_counted(caller.workspace_id, narrowed, found))


def _made(caller: "Principal", body: TaskBody, codebase_id: str) -> Answer:
    if body.agent_type in MADE_BY:
        raise InvalidError("The server makes such tasks itself.", errors={"agent_type": [MADE_BY[body.agent_type]]})
    new = NewTask(
        title=body.title,
        prompt=body.prompt,
        agent_type=body.agent_type or "build",
        model=wanted("model", body),
        priority=body.priority,
        codebase_id=codebase_id,
        requires=body.requires,
        target_agent=body.target_agent,
        session_id=body.metadata.resume_session_id,
        context_id=body.context_id,
        concurrency_key=wanted("concurrency_key", body),
        max_attempts=body.max_attempts,
        deadline_seconds=body.deadline_seconds,
        metadata=body.metadata.model_dump(exclude_unset=True),
    )
    return _changed(task_create(workspace_id=caller.workspace_id, new=new, by=caller.name), "The task is queued.")


def _changed(task: "Task", message: str) -> Answer:
    return {"success": True, "task": task_facts(task), "message": message}


class OneTask(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.TaskDetail)
    def get(self, task_id: str) -> Answer:
        """Show a task, and why it still waits where it does."""
        return task_detail(workspace_id=self.caller.workspace_id, task_id=task_id)

    @operation(Scope.TASKS_WRITE, answers=answers.TaskChanged)
    def patch(self, task_id: str, body: PriorityBody) -> Answer:
        """Give a waiting task another priority."""
        task = task_reprioritise(
            workspace_id=self.caller.workspace_id,
            task_id=_id_of(self, task_id),
            priority=body.priority,
            by=self.caller.name,
        )
        return _changed(task, "The priority is changed.")


class Cancel(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.TaskChanged)
    def post(self, task_id: str, body: ReasonBody) -> Answer:
        """End a task; its worker hears of it within one heartbeat."""
        task = task_cancel(
            workspace_id=self.caller.workspace_id,
            task_id=_id_of(self, task_id),
            by=self.caller.name,
            reason=body.reason,
        )
        return _changed(task, "The task is cancelled.")


class Requeue(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.TaskChanged)
    def post(self, task_id: str) -> Answer:
        """Take a task from its worker and queue it again at once."""
        task = task_requeue(workspace_id=self.caller.workspace_id, task_id=_id_of(self, task_id), by=self.caller.name)
        return _changed(task, "The task is queued again.")


class Input(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.TaskChanged)
    def post(self, task_id: str, body: InputBody) -> Answer:
        """Answer the agent's question."""
        task = task_answer(
            workspace_id=self.caller.workspace_id,
            task_id=_id_of(self, task_id),
            message=body.message,
            data=body.data,
            by=self.caller.name,
        )
        return _changed(task, "The answer is given.")


class Approve(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.TaskChanged)
    def post(self, task_id: str, body: ApprovalBody) -> Answer:
        """Allow (or with `approved: false` refuse) what the agent asks leave for."""
        data = {"approved": body.approved, **({"option_id": body.option_id} if body.option_id else {})}
        task = task_answer(
            workspace_id=self.caller.workspace_id,
            task_id=_id_of(self, task_id),
            message=body.message or ("approved" if body.approved else "refused"),
            data=data,
            by=self.caller.name,
        )
        return _changed(task, "Approved." if body.approved else "Refused.")


def _id_of(view: Endpoint, task_id: str) -> "uuid.UUID":
    """The task's id as such; TaskNotFoundError where it is none of this workspace."""
    return task_get(workspace_id=view.caller.workspace_id, task_id=task_id).id
