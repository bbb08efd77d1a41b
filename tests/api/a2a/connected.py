"""A worker with an agent, models and a codebase, for the cards that tell of them."""

from typing import Any

from apps.workers.models import Worker
from tests.factories import Cast

REVIEWER = {"role": "reviewer", "instance": "reviewer:secret-host:1", "description": "Reviews pull requests"}
LARGE = {"id": "acme/large", "name": "Large", "provider": "acme"}


def connect(cast: Cast, worker_id: str = "w1", **more: Any) -> Worker:
    """A connected worker of the cast's workspace, with what it says."""
    said = {"name": worker_id, "agents": [REVIEWER], "offered_models": [LARGE]} | more
    return Worker.objects.create(workspace=cast.workspace, worker_id=worker_id, **said)
