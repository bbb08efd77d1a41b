"""Remote tasks that nobody waits for any more: ours were cancelled, or failed while the agent could not be reached."""

import asyncio
import logging
import uuid
from datetime import timedelta
from typing import Protocol

from django.utils import timezone

from apps.core.db import in_database
from apps.federation.links import link_close
from apps.federation.models import RemoteTask
from apps.federation.patience import riding_out, until
from apps.federation.remote import Fault, Remote, TroubleError
from apps.federation.selectors import given_up

log = logging.getLogger(__name__)

TIDY_SECONDS = 10.0
FINAL = frozenset({Fault.REFUSED, Fault.DENIED, Fault.LOST})
PATIENCE = timedelta(days=1)
"""A remote task that is older is let be, where its agent does not answer."""


class Serving(Protocol):
    """What the bridge in a workspace knows. `given_up` is set when there may be something to cancel."""

    workspace_id: uuid.UUID
    given_up: asyncio.Event

    def line_to(self, agent_name: str) -> Remote | None: ...
    def works_on(self, task_id: uuid.UUID) -> bool: ...


async def tidy_for_ever(post: Serving) -> None:
    """Cancel them there, as soon as we know, and again until the agent has heard it."""
    while True:
        post.given_up.clear()
        await riding_out(_tidy(post))
        await until(post.given_up, TIDY_SECONDS)


async def _tidy(post: Serving) -> None:
    for link in await in_database(given_up, post.workspace_id):
        if post.works_on(link.task_id):
            continue
        line = post.line_to(link.agent_name)
        if line is None or not link.remote_task_id or await _is_cancelled(line, link):
            await in_database(link_close, task_id=link.task_id)


async def _is_cancelled(line: Remote, link: RemoteTask) -> bool:
    """Whether nothing more is to be done: it is cancelled, or the agent will hear nothing of it."""
    try:
        await line.cancel(link.remote_task_id)
    except TroubleError as trouble:
        log.info("remote task %s: %s", link.remote_task_id, trouble)
        return trouble.fault in FINAL or link.created_at < timezone.now() - PATIENCE
    return True
