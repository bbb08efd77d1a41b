"""MCP on standard input and output, for a client that starts its servers itself (MCP 2025-11-25, basic/transports).

Every message is let in like a request over HTTP: by a token, whose scopes and limits hold, and which may be taken away
while the client is still there.
"""

import uuid
from typing import Any

from django.conf import settings
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST

from apps.accounts.admission import admitted
from apps.accounts.permits import watch
from apps.accounts.principals import Credentials
from apps.core.caller import calls
from apps.core.db import close_pool
from apps.core.errors import CodeTetherError
from apps.core.tenancy import NOBODY, acting
from apps.core.wakeups import hub
from apps.mcp.caller import calling
from apps.mcp.server import ToolServer

ADDRESS = "stdio"
"""Stands in the audit trail where requests have the client's address."""


async def serve(token: str) -> None:
    """Serve until standard input ends. CodeTetherError where the token opens nothing from the beginning on."""
    credentials = Credentials(authorization=f"Bearer {token}")
    wakeups = hub()
    wakeups.listen()
    try:
        async with watch().awake():
            calls(ADDRESS, uuid.uuid4().hex)
            with acting(NOBODY):
                await admitted(credentials)
                await ToolServer([Admission(credentials)]).run_stdio_async()
    finally:
        await wakeups.close()
        close_pool()


class Admission:
    """Asks of each message again who sends it (middleware of the SDK's server)."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        calls(ADDRESS, uuid.uuid4().hex)
        try:
            principal = await admitted(self.credentials)
        except CodeTetherError as problem:
            raise MCPError(INVALID_REQUEST, f"{problem.code}: {problem.detail}") from problem
        with calling(principal, settings.A2A_AGENT_URL, self.credentials):
            return await call_next(ctx)
