"""Receivers of push notifications that cannot be reached."""

import uuid
from collections.abc import Collection
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from apps.a2a.models import FAILING, PushConfig

REMEMBERED_FOR = timedelta(days=1)
"""For how long somebody may want to know that one was given up."""


def failing_count(workspace_ids: Collection[uuid.UUID]) -> int:
    """How many configs of some workspaces fail now, or were given up a short while ago."""
    lately = Q(given_up_at=None) | Q(given_up_at__gt=Now() - REMEMBERED_FOR)
    return PushConfig.objects.filter(FAILING, lately, workspace_id__in=workspace_ids).count()
