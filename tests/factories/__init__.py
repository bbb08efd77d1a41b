"""The cast of the tests: named people and things, made in one line each."""

import io
import uuid
from typing import Any

from apps.accounts.models import Membership, User, Workspace
from apps.accounts.permissions import Role
from apps.accounts.tokens import token_create
from apps.codebases.models import Codebase
from apps.files.models import StoredFile
from apps.files.services import NewFile, file_store, files_attach
from apps.tasks.models import Task
from apps.tasks.services import Claim, Claimer, NewTask, task_claim, task_create


class Cast:
    """Makers bound to one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def elsewhere(self) -> "Cast":
        """The cast of another workspace."""
        slug = f"other-{uuid.uuid4().hex[:8]}"
        return Cast(Workspace.objects.create(slug=slug, name=slug))

    def token(self, role: Role = Role.OPERATOR, **more: Any) -> str:
        """A token's secret."""
        return token_create(workspace=self.workspace, name=f"a {role}", role=role, **more)[1]

    def user(self, name: str = "ada", role: Role = Role.OPERATOR, **more: Any) -> User:
        user = User.objects.create_user(name, password="correct horse", **more)
        Membership.objects.create(user=user, workspace=self.workspace, role=role)
        return user

    def codebase(self, name: str = "shop", **more: Any) -> Codebase:
        values = {"path": f"/code/{name}", "worker_id": "w1", "status": Codebase.Status.ACTIVE} | more
        return Codebase.objects.create(workspace=self.workspace, name=name, **values)

    def task(self, title: str = "Mend the till", **more: Any) -> Task:
        values = {"prompt": "Make the tests pass."} | more
        return task_create(workspace_id=self.workspace.id, new=NewTask(title=title, **values), by="ada")

    def file(self, content: bytes = b"a,b\n", task_id: uuid.UUID | None = None, **more: Any) -> StoredFile:
        """A file, of a task where one is given."""
        said = {"name": "sums.csv", "media_type": "text/csv", "origin": "client", "by": "ada"} | more
        file = file_store(workspace_id=self.workspace.id, new=NewFile(content=io.BytesIO(content), **said))
        if task_id is not None:
            files_attach(workspace_id=self.workspace.id, file_ids=[file.id], task_id=task_id)
            file.refresh_from_db()
        return file

    def claimer(self, worker_id: str = "w1", **more: Any) -> Claimer:
        values = {"queues": ["global", "__pending__"]} | more
        return Claimer(workspace_id=self.workspace.id, worker_id=worker_id, **values)

    def held(self, task: Task | None = None, worker_id: str = "w1", **more: Any) -> Claim:
        """A claim on `task` (default: a new one)."""
        task = task or self.task(**more)
        claimer = self.claimer(worker_id, queues=[task.queue], models=[task.model], capabilities=task.requires)
        (held,) = task_claim(claimer=claimer, task_id=task.id)
        assert held.claim_token is not None
        return Claim(self.workspace.id, held.id, held.claim_token)
