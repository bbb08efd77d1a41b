"""Machines that went away without saying so."""

import uuid
from collections.abc import Collection
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.workers.models import Worker
from apps.workers.selectors import here

LOST_FOR = timedelta(days=3)
"""For how long somebody may want to know."""


def lost_machines(workspace_id: uuid.UUID, most: int) -> list[Worker]:
    """The workers of a workspace that were heard of within LOST_FOR and are not connected, the latest first."""
    return list(_lost([workspace_id]).order_by("-last_seen_at")[:most])


def lost_count(workspace_ids: Collection[uuid.UUID]) -> int:
    """How many workers of some workspaces went away."""
    return _lost(workspace_ids).count()


def _lost(workspace_ids: Collection[uuid.UUID]) -> QuerySet[Worker]:
    known = Worker.objects.filter(workspace_id__in=workspace_ids, unregistered_at=None, only_targeted=False)
    return known.filter(last_seen_at__gte=Now() - LOST_FOR).exclude(here())
