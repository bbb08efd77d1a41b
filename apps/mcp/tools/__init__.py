"""The tools of the MCP face, in the order in which clients see them."""

from apps.mcp.tool import Tool

TOOLS: tuple[Tool, ...] = ()
