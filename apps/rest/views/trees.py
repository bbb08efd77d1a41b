"""Working trees of tasks: list them, and have one merged or discarded."""

from apps.accounts.permissions import Scope
from apps.codebases.selectors import codebase_get
from apps.rest import answers
from apps.rest.bodies import TreeBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import TreeQuery
from apps.tasks.selectors import task_facts, tree_facts, trees_of
from apps.tasks.services import TreeWish, working_tree_act


class TreesOfCodebase(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.TreePage)
    def get(self, codebase_id: str, query: TreeQuery) -> Answer:
        """List the working trees of a codebase's tasks, the latest first; without those of which nothing is left."""
        codebase_get(workspace_id=self.caller.workspace_id, codebase_id=codebase_id)
        found = trees_of(self.caller.workspace_id).filter(codebase_id=codebase_id)
        found = found.filter(state=query.state) if query.state else found.exclude(state="empty")
        return page_of(found, query, "working_trees", tree_facts)


class ActOnTree(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.TreeAsked)
    def post(self, task_id: str, body: TreeBody) -> Answer:
        """Merge or discard a task's working tree: a task of its own does it, on the worker that has the tree."""
        wish = TreeWish(action=body.action, into=body.into, strategy=body.strategy)
        done = working_tree_act(workspace_id=self.caller.workspace_id, task_id=task_id, wish=wish, by=self.caller.name)
        return {
            "success": True,
            "message": done.message,
            "task": done.task and task_facts(done.task),
            "working_tree": tree_facts(done.tree),
        }
