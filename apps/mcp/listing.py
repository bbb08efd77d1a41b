"""The list of tools as it goes over the wire, made once for each set of scopes: its schemas are most of its cost.

The SDK checks and dumps some 60 KB for each `tools/list`, which says the same as long as the process runs.
"""

from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types.methods import validate_client_request
from pydantic import ValidationError

from apps.accounts.permissions import Scope
from apps.mcp.caller import principal

LIST = "tools/list"
MOST = 40
"""Lists kept at once: the sets of scopes of a few roles, in a few versions of the protocol."""


class KeptLists:
    """Middleware of a server whose clients need no handshake first (the SDK asks for one only behind this)."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, frozenset[Scope]], HandlerResult] = {}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method != LIST or not _asks_for_all(ctx):
            return await call_next(ctx)
        place = (ctx.protocol_version, principal().scopes)
        kept = self._kept.get(place)
        if kept is None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            kept = self._kept[place] = await call_next(ctx)
        return kept


def _asks_for_all(ctx: ServerRequestContext[Any, Any]) -> bool:
    """A good request, and nothing in it that the answer depends on; of others the SDK says what is wrong."""
    if (ctx.params or {}).keys() - {"_meta"}:
        return False
    try:
        validate_client_request(LIST, ctx.protocol_version, ctx.params)
    except (KeyError, ValidationError):
        return False
    return True
