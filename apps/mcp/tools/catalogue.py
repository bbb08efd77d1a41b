"""Tools about the tools: finding one, and what it takes."""

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from apps.accounts.permissions import Scope
from apps.core.errors import NotFoundError
from apps.mcp.caller import principal
from apps.mcp.tool import Tool, tool
from apps.mcp.tools.words import NAME_LIMIT, PAGE, Limit

EVERY_READ = (*Scope,)
"""Anybody who is let in may ask what there is: they are shown what they may call."""


class Found(BaseModel):
    name: str
    title: str
    description: str
    read_only: bool


class FoundTools(BaseModel):
    tools: list[Found]
    total: int


class ToolSchema(BaseModel):
    """As tools/list has it. `scopes`: the caller holds at least one of them."""

    name: str
    title: str
    description: str
    scopes: list[str]
    read_only: bool
    destructive: bool
    idempotent: bool
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]


def catalogue_of(tools: Callable[[], Sequence[Tool]]) -> tuple[Tool, Tool]:
    """search_tools and get_tool_schema over all tools, these two among them."""

    @tool(scope=EVERY_READ, title="Find a tool", read_only=True)
    async def search_tools(
        query: Annotated[str, Field(description="What you want to do, in a few words.", max_length=NAME_LIMIT)] = "",
        limit: Limit = PAGE,
    ) -> FoundTools:
        """Find the tools of this server that fit what you want to do, best first: words of `query` are sought in names,
        titles and descriptions. Use it instead of reading the whole list; an empty query gives all. Only tools that you
        may call are shown. Gives name, title and description of each; get_tool_schema gives what one takes and returns.
        """
        mine = [one for one in tools() if one.is_for(principal())]
        found = sorted((one for one in mine if _score(one, query)), key=lambda one: -_score(one, query))
        return FoundTools(tools=[_found(one) for one in found[:limit]], total=len(found))

    @tool(scope=EVERY_READ, title="Show a tool's schema", read_only=True)
    async def get_tool_schema(
        tool_name: Annotated[
            str, Field(description="The tool's name, as search_tools gives it.", min_length=1, max_length=NAME_LIMIT)
        ],
    ) -> ToolSchema:
        """Show exactly what one tool takes and returns: its description, the JSON schemas of its arguments and of its
        result, the scopes of which a caller needs one, and whether it only reads, destroys, or may be repeated without
        harm. Use it before you call a tool for the first time, or after it has refused its arguments.
        """
        mine = {one.name: one for one in tools() if one.is_for(principal())}
        if tool_name not in mine:
            near = difflib.get_close_matches(tool_name, mine, n=3)
            hint = f" Did you mean {', '.join(near)}?" if near else ""
            raise NotFoundError(f"There is no such tool, or it is not for you.{hint}", code="tool_not_found")
        return _schema(mine[tool_name])

    return search_tools, get_tool_schema


def _score(one: Tool, query: str) -> int:
    """How well a tool fits: words in its name count most. One for every tool where nothing is asked."""
    words = re.findall(r"[^\W_]+", query.lower())
    if not words:
        return 1
    name, title, text = one.name.lower(), (one.sdk.title or "").lower(), one.sdk.description.lower()
    return sum(4 * (word in name) + 2 * (word in title) + (word in text) for word in words)


def _found(one: Tool) -> Found:
    hints = one.sdk.annotations
    return Found(
        name=one.name,
        title=one.sdk.title or one.name,
        description=one.sdk.description,
        read_only=bool(hints and hints.read_only_hint),
    )


def _schema(one: Tool) -> ToolSchema:
    hints = one.sdk.annotations
    return ToolSchema(
        **_found(one).model_dump(),
        scopes=[str(scope) for scope in one.scopes],
        destructive=bool(hints and hints.destructive_hint),
        idempotent=bool(hints and hints.idempotent_hint),
        input_schema=one.sdk.parameters,
        output_schema=one.sdk.output_schema or {},
    )
