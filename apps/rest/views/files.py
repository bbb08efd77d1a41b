"""The files of a task: what came with it, and what its agent has made. Contents are at `/v1/files/{file_id}`."""

from apps.accounts.permissions import Scope
from apps.files.selectors import file_facts, files_of_tasks
from apps.rest import answers
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import FileQuery
from apps.tasks.selectors import task_get


class TaskFiles(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.FilePage)
    def get(self, task_id: str, query: FileQuery) -> Answer:
        """List the task's files, oldest first."""
        task = task_get(workspace_id=self.caller.workspace_id, task_id=task_id)
        found = files_of_tasks(task.workspace_id, task.id, origin=query.origin)
        return page_of(found, query, "files", file_facts)
