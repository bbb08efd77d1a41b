"""Machines that went away without saying so."""

import uuid
from datetime import timedelta

from django.db.models.functions import Now

from apps.workers.models import Worker
from apps.workers.selectors import here

LOST_FOR = timedelta(days=3)
"""For how long somebody may want to know."""


def lost_machines(workspace_id: uuid.UUID, most: int) -> list[Worker]:
    """The workers of a workspace that were heard of within LOST_FOR and are not connected, the latest first."""
    gone = Worker.objects.filter(workspace_id=workspace_id, unregistered_at=None, only_targeted=False).exclude(here())
    return list(gone.filter(last_seen_at__gte=Now() - LOST_FOR).order_by("-last_seen_at")[:most])
