"""Telling where the chains end to somewhere that who changes the database cannot change: the log, and a webhook."""

import asyncio
import json
import logging
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings

from apps.audit.models import AuditHead
from apps.audit.verifying import Anchor
from apps.core.outbound import outbound_client

log = logging.getLogger(__name__)


def heads_anchor() -> int:
    """Write each chain's head to the log, and post them all to A2A_AUDIT_ANCHOR_URL where it is set; returns how many.

    Raises what the outbound client raises where the webhook does not take them.
    """
    told = [_told(head) for head in AuditHead.objects.order_by("workspace_id")]
    for head in told:
        log.info("audit head %s", json.dumps(head))
    if told and settings.AUDIT_ANCHOR_URL:
        _post(told)
    return len(told)


def _post(heads: list[dict[str, Any]]) -> None:
    asyncio.run(_send(heads))


async def _send(heads: list[dict[str, Any]]) -> None:
    async with outbound_client() as client:
        answer = await client.post(settings.AUDIT_ANCHOR_URL, json={"heads": heads})
        answer.raise_for_status()


def _told(head: AuditHead) -> dict[str, Any]:
    return {"workspace_id": str(head.workspace_id), "seq": head.seq, "hash": bytes(head.hash).hex()}


def anchors_in(lines: Iterable[str]) -> Iterator[Anchor]:
    """The heads that lines of a log tell of; other lines are passed over."""
    for line in lines:
        _, found, text = line.partition("audit head ")
        if found:
            told, _ = json.JSONDecoder().raw_decode(text)
            yield Anchor(uuid.UUID(told["workspace_id"]), int(told["seq"]), bytes.fromhex(told["hash"]))
