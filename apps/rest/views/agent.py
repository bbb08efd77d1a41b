"""A codebase's agent: give it work, speak to it, interrupt and stop it, see what it does."""

from typing import TYPE_CHECKING, Literal

from apps.accounts.permissions import Scope
from apps.core.errors import UnprocessableError
from apps.rest import answers
from apps.rest.bodies import MessageBody, TaskBody, TriggerBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.tasks.selectors import codebase_activity
from apps.tasks.services import Wish, codebase_interrupt, codebase_message, codebase_stop, codebase_trigger

if TYPE_CHECKING:
    from apps.tasks.models import Task


class Trigger(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.Started)
    def post(self, codebase_id: str, body: TriggerBody) -> Answer:
        """Have an agent work on a prompt in the codebase."""
        wish = Wish(
            prompt=body.prompt,
            agent_type=body.agent,
            model=wanted("model", body),
            concurrency_key=wanted("concurrency_key", body),
            session_id=body.metadata.resume_session_id,
            files=[file if isinstance(file, str) else file.model_dump() for file in body.files],
            metadata=body.metadata.model_dump(exclude_unset=True),
        )
        task = codebase_trigger(
            workspace_id=self.caller.workspace_id, codebase_id=codebase_id, wish=wish, by=self.caller.name
        )
        return _started(task, "The task waits for the codebase's worker.")


class Message(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.Started)
    def post(self, codebase_id: str, body: MessageBody) -> Answer:
        """Say something to the running agent; where none runs, a new task goes on with the last conversation."""
        wish = Wish(prompt=body.message, agent_type=body.agent, model=body.model)
        task, was_running = codebase_message(
            workspace_id=self.caller.workspace_id, codebase_id=codebase_id, wish=wish, by=self.caller.name
        )
        told = "The running task hears it." if was_running else "A new task goes on with the last conversation."
        return _started(task, told)


class Interrupt(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.Interrupted)
    def post(self, codebase_id: str) -> Answer:
        """End the agent's present turn; its task goes on to hear what comes next."""
        task = codebase_interrupt(workspace_id=self.caller.workspace_id, codebase_id=codebase_id, by=self.caller.name)
        return {"success": True, "message": "The agent is told to end its turn.", "task_id": str(task.id)}


class Stop(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.Stopped)
    def post(self, codebase_id: str) -> Answer:
        """Cancel what runs in the codebase."""
        ended = codebase_stop(workspace_id=self.caller.workspace_id, codebase_id=codebase_id, by=self.caller.name)
        message = f"Stopped {len(ended)} tasks." if ended else "Nothing was running."
        return {"success": True, "message": message, "cancelled": [str(task.id) for task in ended]}


class Status(Endpoint):
    @operation(Scope.CODEBASES_READ, answers=answers.Activity)
    def get(self, codebase_id: str) -> Answer:
        """What the codebase's agent does now: running, a question's state, idle, or pending (no worker has it yet)."""
        return codebase_activity(workspace_id=self.caller.workspace_id, codebase_id=codebase_id)


def _started(task: "Task", message: str) -> Answer:
    return {
        "success": True,
        "message": message,
        "task_id": str(task.id),
        "session_id": task.session_id or None,
        "status": task.state,
    }


def wanted(name: Literal["model", "concurrency_key"], body: TaskBody | TriggerBody) -> str:
    """What may stand in the body or in its metadata; in both, it must be the same."""
    said: str = getattr(body, name)
    noted: str = getattr(body.metadata, name)
    if said and noted and said != noted:
        errors = {f"metadata.{name}": [f"Leave it out, or give the same as in '{name}'."]}
        raise UnprocessableError(f"The body names two values for {name}.", code="contradiction", errors=errors)
    return said or noted
