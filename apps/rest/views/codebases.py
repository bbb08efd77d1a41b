"""Codebases: list, register, change, remove."""

from apps.accounts.permissions import Scope
from apps.codebases.selectors import CodebaseFilter, codebase_facts, codebase_get, codebases_filtered
from apps.codebases.services import CodebaseChange, NewCodebase, codebase_change
from apps.rest import answers
from apps.rest.bodies import AgentConfig, CodebaseBody, CodebaseChanges
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import CodebaseQuery, RemovalQuery
from apps.tasks.services import codebase_remove
from apps.workers.admitting import codebase_admit


class Codebases(Endpoint):
    @operation(Scope.CODEBASES_READ, answers=answers.CodebasePage)
    def get(self, query: CodebaseQuery) -> Answer:
        """List the codebases, newest first."""
        wanted = CodebaseFilter(status=query.status, worker_id=query.worker_id, q=query.q)
        return page_of(codebases_filtered(self.caller.workspace_id, wanted), query, "codebases", codebase_facts)

    @operation(Scope.CODEBASES_WRITE, Scope.WORKER, answers=answers.CodebaseMade)
    def post(self, body: CodebaseBody) -> Answer:
        """Register a codebase: with `worker_id` bound to that worker at once, else a task looks for one that has it.

        A worker's token may only register what is its own machine's, and says nothing of what agents may do there.
        """
        new = NewCodebase(
            name=body.name,
            path=body.path,
            description=body.description,
            agent_config=_settings(body.agent_config),
            worker_id=body.worker_id,
            codebase_id=body.codebase_id,
        )
        return codebase_admit(caller=self.caller, new=new)


class OneCodebase(Endpoint):
    @operation(Scope.CODEBASES_READ, answers=answers.Codebase)
    def get(self, codebase_id: str) -> Answer:
        """Show a codebase."""
        return codebase_facts(codebase_get(workspace_id=self.caller.workspace_id, codebase_id=codebase_id))

    @operation(Scope.CODEBASES_WRITE, answers=answers.CodebaseMade)
    def patch(self, codebase_id: str, body: CodebaseChanges) -> Answer:
        """Change a codebase's name, description or single settings of its agents."""
        change = CodebaseChange(
            name=body.name,
            description=body.description,
            agent_config=_settings(body.agent_config),
            path=body.path,
            worker_id=body.worker_id,
        )
        codebase = codebase_change(workspace_id=self.caller.workspace_id, codebase_id=codebase_id, change=change)
        return {"success": True, "codebase": codebase_facts(codebase), "message": "Changed.", "task_id": None}

    @operation(Scope.CODEBASES_WRITE, answers=answers.Stopped)
    def delete(self, codebase_id: str, query: RemovalQuery) -> Answer:
        """Remove a codebase; while a task runs in it only with `force=true`, which cancels it."""
        ended = codebase_remove(
            workspace_id=self.caller.workspace_id, codebase_id=codebase_id, by=self.caller.name, force=query.force
        )
        return {
            "success": True,
            "message": f"Removed; {len(ended)} tasks were cancelled.",
            "cancelled": [str(task.id) for task in ended],
        }


def _settings(config: AgentConfig | None) -> dict[str, object] | None:
    """Only what was given, so that the rest stays as it is."""
    return None if config is None else config.model_dump(exclude_unset=True)
