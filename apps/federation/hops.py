"""How often a task was passed on from agent to agent: what ends a ring of agents that delegate to each other.

Each message that leaves here for a remote agent says so in its metadata under our extension: `hops`, one more than
the message had that made the task, and `via`, the installations that it came through (for whoever looks for the ring).
Incoming messages with more than `A2A_MAX_HOPS` are refused (apps/a2a/incoming.py).
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

from apps.core.extension import EXTENSION

HOPS, VIA = "hops", "via"
VIA_LIMIT = 64


def hops_of(metadata: Mapping[str, Any]) -> int | None:
    """How often the message of this metadata was passed on, 0 where it does not say; None where what it says is no
    count. Numbers that came through protobuf are floats."""
    said = metadata.get(EXTENSION)
    hops = said.get(HOPS, 0) if isinstance(said, Mapping) else 0
    if isinstance(hops, float) and hops.is_integer():
        hops = int(hops)
    return hops if isinstance(hops, int) and not isinstance(hops, bool) and hops >= 0 else None


def passed_on(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a message says about its way, where the task was made by a message of this metadata."""
    said = metadata.get(EXTENSION)
    via = said.get(VIA, []) if isinstance(said, Mapping) else []
    before = [one for one in via if isinstance(one, str)] if isinstance(via, list) else []
    return {HOPS: (hops_of(metadata) or 0) + 1, VIA: [*before, _installation(settings.SECRET_KEY)][-VIA_LIMIT:]}


@lru_cache(maxsize=4)
def _installation(secret: str) -> str:
    """A name for all replicas of this installation together; it tells nothing of the secret that it is made of."""
    return hmac.new(secret.encode(), b"codetether/installation", hashlib.sha256).hexdigest()[:16]
