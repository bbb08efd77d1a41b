"""Machines that are connected."""

from typing import Any

from apps.workers.models import Worker
from apps.workers.services import Registration, worker_register
from tests.factories import Cast

MODEL = {"id": "acme/large", "name": "Large", "provider": "acme"}
PROGRAM = {"name": "claude", "version": "2.0", "models": ["acme/large"]}


def machine(cast: Cast, worker_id: str = "w1", **said: Any) -> Worker:
    """A worker that has just registered, with one program, one model, and two tasks at once."""
    offers: dict[str, Any] = {"models": [MODEL], "programs": [PROGRAM], "concurrency": 2}
    told = Registration(worker_id=worker_id, name=f"machine {worker_id}", **{**offers, **said})
    return worker_register(workspace_id=cast.workspace.id, registration=told)
