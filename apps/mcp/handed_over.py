"""What other faces know and tools need: faces do not import one another, so the settings name who answers."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from apps.accounts.principals import Principal
from apps.mcp.caller import base_url, principal

Json = dict[str, Any]
CardReader = Callable[[Principal, str, str], Awaitable[Json]]


async def agent_card(role: str = "") -> Json:
    """The A2A card, as the caller of the tool may see it: of all agents of their workspace, or of a role's.

    Raises NotFoundError where the workspace never had an agent of that role.
    """
    return await _card_reader()(principal(), base_url(), role)


@cache
def _card_reader() -> CardReader:
    return cast(CardReader, import_string(settings.MCP_AGENT_CARD))
