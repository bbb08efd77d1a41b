"""Variables of codebases and workspaces: what agents get into their environment. Secrets go in, and never out."""

from apps.accounts.permissions import Scope
from apps.codebases.selectors import codebase_get
from apps.codebases.variable_selectors import variable_facts, variables_of
from apps.codebases.variable_services import NewVariable, variable_remove, variable_set
from apps.rest import answers
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import Page
from apps.rest.variable_bodies import VariableBody


class WorkspaceVariables(Endpoint):
    @operation(Scope.CODEBASES_READ, answers=answers.VariablePage)
    def get(self, query: Page) -> Answer:
        """List the variables that count in all codebases of the workspace, by name."""
        return page_of(variables_of(self.caller.workspace_id, None), query, "variables", variable_facts)


class OneWorkspaceVariable(Endpoint):
    @operation(Scope.ADMIN, answers=answers.VariableSet)
    def put(self, name: str, body: VariableBody) -> Answer:
        """Set a variable for all codebases of the workspace; a secret unless `kind` says otherwise."""
        return _put(self, None, name, body)

    @operation(Scope.ADMIN, answers=answers.Done)
    def delete(self, name: str) -> Answer:
        """Forget a variable of the workspace."""
        return _delete(self, None, name)


class CodebaseVariables(Endpoint):
    @operation(Scope.CODEBASES_READ, answers=answers.VariablePage)
    def get(self, codebase_id: str, query: Page) -> Answer:
        """List a codebase's own variables, by name. They win over the workspace's of the same name."""
        codebase_get(workspace_id=self.caller.workspace_id, codebase_id=codebase_id)
        return page_of(variables_of(self.caller.workspace_id, codebase_id), query, "variables", variable_facts)


class OneCodebaseVariable(Endpoint):
    @operation(Scope.ADMIN, answers=answers.VariableSet)
    def put(self, codebase_id: str, name: str, body: VariableBody) -> Answer:
        """Set a variable of a codebase; a secret unless `kind` says otherwise."""
        return _put(self, codebase_id, name, body)

    @operation(Scope.ADMIN, answers=answers.Done)
    def delete(self, codebase_id: str, name: str) -> Answer:
        """Forget a variable of a codebase."""
        return _delete(self, codebase_id, name)


def _put(view: Endpoint, codebase_id: str | None, name: str, body: VariableBody) -> Answer:
    new = NewVariable(value=body.value, kind=body.kind, description=body.description, agent_types=body.agent_types)
    caller = view.caller
    variable, is_new = variable_set(
        workspace_id=caller.workspace_id, codebase_id=codebase_id, name=name, new=new, by=caller.name
    )
    message = f"{name} is {'set' if is_new else 'changed'}; agents that start from now on get it."
    return {"success": True, "message": message, "variable": variable_facts(variable)}


def _delete(view: Endpoint, codebase_id: str | None, name: str) -> Answer:
    caller = view.caller
    variable_remove(workspace_id=caller.workspace_id, codebase_id=codebase_id, name=name, by=caller.name)
    return {"success": True, "message": f"{name} is removed; agents that start from now on do not get it."}
