"""The official SDK's server over our tools: what a caller sees of them, and what becomes of a call.

Who calls is known by then (`apps.mcp.caller`): the transports see to that, each in its way.
"""

import difflib
import time
from collections.abc import Sequence
from typing import Any, cast

from django.conf import settings
from mcp.server.caching import CacheHint
from mcp.server.context import ServerMiddleware
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, TextContent
from mcp_types import Tool as ListedTool

from apps.accounts.principals import Principal, authenticate, remembered
from apps.accounts.refusals import is_refusal, refusal_note
from apps.core.db import in_database
from apps.core.errors import CodeTetherError, ForbiddenError
from apps.mcp.caller import credentials, principal
from apps.mcp.errors import problem_with, tool_failure
from apps.mcp.tool import Tool
from apps.mcp.tools import TOOLS

LIST_HOLDS_MILLISECONDS = 300_000
"""For so long a client need not ask for the tools again (2026-07-28, caching): all that may change meanwhile is
whether a token may call one, and that is asked of each call."""

AGAIN_SECONDS = 1.0
"""A call that takes longer has waited for something, and its caller is let in anew before the answer."""
INSTRUCTIONS = (
    "CodeTether hands work to coding agents on the machines that hold the code. Find where to work with "
    "list_codebases and who works with discover_agents; hand work over with create_task, or with send_message where "
    "you want to wait for the answer; follow it with get_task and get_task_updates. search_tools finds a tool for "
    "what you want to do. An error says what to do next."
)


class ToolServer(MCPServer[None]):
    """Lists to a caller the tools that it may call, and tells errors in our words."""

    def __init__(self, middleware: Sequence[ServerMiddleware[Any]] = ()) -> None:
        super().__init__(
            "codetether",
            title=settings.A2A_AGENT_NAME,
            description=settings.A2A_AGENT_DESCRIPTION,
            instructions=INSTRUCTIONS,
            website_url=settings.A2A_AGENT_ORG_URL,
            version=settings.VERSION,
            tools=[tool.sdk for tool in TOOLS],
            cache_hints={"tools/list": CacheHint(ttl_ms=LIST_HOLDS_MILLISECONDS)},
            subscriptions=False,  # neither the tools nor anything else that is listed changes while a process runs
            middleware=middleware,
        )
        self.by_name = {tool.name: tool for tool in TOOLS}
        self._listed: list[ListedTool] = []
        self._told: dict[str, dict[str, Any]] = {}

    async def list_tools(self) -> list[ListedTool]:
        self._listed = self._listed or await super().list_tools()
        caller = principal()
        return [listed for listed in self._listed if self.by_name[listed.name].is_for(caller)]

    async def tools_told(self) -> list[dict[str, Any]]:
        """The same as JSON, which is made of each tool once: its schemas do not change while the process runs."""
        listed = await self.list_tools()
        for one in listed:
            if one.name not in self._told:
                self._told[one.name] = one.model_dump(mode="json", by_alias=True, exclude_none=True)
        return [self._told[one.name] for one in listed]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult:
        """What the tool gives, or what keeps it from that; MCPError where there is no such tool."""
        try:
            return await self.run_tool(name, arguments, context)
        except CodeTetherError as problem:
            return tool_failure(problem)

    async def run_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult:
        """What the tool gives; CodeTetherError for whatever keeps it from that."""
        tool = self._named(name)
        try:
            began = time.monotonic()
            _require(tool, principal())
            result = cast(CallToolResult, await super().call_tool(name, arguments, context))
            if time.monotonic() - began > AGAIN_SECONDS:
                await _require_again(tool)
        except (ToolError, CodeTetherError) as error:
            problem = problem_with(error)
            if is_refusal(problem.status):
                await in_database(refusal_note, way=f"MCP {name}", status=problem.status)
            raise problem from error
        return _with_note(result, ignored(tool, arguments), tool)

    def _named(self, name: str) -> Tool:
        if name in self.by_name:
            return self.by_name[name]
        similar = difflib.get_close_matches(name, self.by_name, n=3)
        hint = f"did you mean {' or '.join(similar)}?" if similar else "tools/list shows those that there are."
        raise MCPError(INVALID_PARAMS, f"Unknown tool: {name[:100]}; {hint}")


def _require(tool: Tool, caller: Principal) -> None:
    if not tool.is_for(caller):
        wanted = " or ".join(f"'{scope}'" for scope in tool.scopes)
        raise ForbiddenError(f"The tool {tool.name} needs the scope {wanted}, which {caller.name} does not hold.")


async def _require_again(tool: Tool) -> None:
    """Of a tool that has waited: whose right was taken away meanwhile does not hear what came."""
    brought = credentials()
    if brought is not None:
        known = remembered(brought)
        _require(tool, known if known is not None else await in_database(authenticate, brought))


def ignored(tool: Tool, arguments: dict[str, Any]) -> list[str]:
    """The arguments that the tool does not take: they are let pass, as on every face, but not in silence."""
    return sorted(arguments.keys() - tool.takes)


def _with_note(result: CallToolResult, names: list[str], tool: Tool) -> CallToolResult:
    if not names:
        return result
    text = f"Ignored, since {tool.name} does not take them: {', '.join(name[:100] for name in names[:20])}."
    return result.model_copy(update={"content": [*result.content, TextContent(type="text", text=text)]})
