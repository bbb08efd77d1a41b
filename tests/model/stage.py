"""What each life begins with: empty tables, two codebases, and workers that can do different things."""

from django.db import connection

from apps.codebases.models import Codebase
from apps.workers.services import Registration, worker_register
from tests.factories import Cast
from tests.model.queue import ROSTER

CODEBASES = ("shop", "till")
TABLES = (
    "tasks_outboxentry",
    "tasks_taskevent",
    "tasks_task",
    "tasks_sweeptotal",
    "tasks_endedtotal",
    "tasks_queuelimit",
)


def set_stage(cast: Cast) -> None:
    """Forget the tasks of the life before; the codebases are made once."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")
    for name in CODEBASES:
        if not Codebase.objects.filter(id=name).exists():
            cast.codebase(name, id=name, worker_id="")


def register(cast: Cast, worker: str) -> None:
    """The worker says what ROSTER knows of it."""
    skills = ROSTER[worker]
    said = Registration(
        worker_id=worker,
        name=worker,
        codebases=skills.codebases,
        capabilities=skills.capabilities,
        models=[{"id": name, "name": name, "provider": "x"} for name in skills.models],
        agents=[{"role": role, "instance": role, "description": ""} for role in skills.roles],
        global_codebase_id="home",
    )
    worker_register(workspace_id=cast.workspace.id, registration=said)
