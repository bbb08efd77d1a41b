"""What a tool is: a function, and what clients and the gate must know of it, said once, at its definition.

    @tool(scope=Scope.TASKS_READ, title="Show a task", read_only=True)
    async def get_task(task_id: Annotated[str, Field(description="The task's id")]) -> TaskFacts:
        '''What it does, when to use it, and what comes back.'''

The name of the tool is the function's, its description the docstring, its input schema the annotated parameters and
its output schema the annotated result (MCP 2025-11-25, server/tools).
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp_types import ToolAnnotations
from pydantic import AliasChoices, BaseModel

from apps.accounts.permissions import Scope, Scopes
from apps.accounts.principals import Principal
from apps.mcp.arguments import read_leniently
from apps.mcp.results import metadata_of
from apps.mcp.schemas import without_titles

Function = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool; `scopes` are those of which its caller holds at least one, `sdk` is the SDK's record of the same."""

    name: str
    scopes: Scopes
    function: Function
    sdk: SdkTool
    takes: frozenset[str]
    """The names that its arguments may have, aliases included."""

    def is_for(self, principal: Principal) -> bool:
        """Whether this caller may call it."""
        return any(scope in principal.scopes for scope in self.scopes)


def tool(
    *,
    scope: Scope | Scopes,
    title: str,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
) -> Callable[[Function], Tool]:
    """Make a tool out of an `async def`. Its caller must hold `scope` (of several: any one); the hints tell clients
    which calls they may make without asking and which they may repeat (MCP 2025-11-25, `ToolAnnotations`).

    Raises TypeError where the function is not async, has no docstring, or says not what it returns.
    """
    hints = ToolAnnotations(
        title=title,
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=idempotent or read_only,
    )

    def define(function: Function) -> Tool:
        name = getattr(function, "__name__", "")
        _check(name, function)
        sdk = SdkTool.from_function(function, name, title, description_of(function), annotations=hints)
        sdk.fn_metadata = metadata_of(sdk.fn_metadata)
        sdk.fn_metadata.arg_model = read_leniently(sdk.fn_metadata.arg_model)
        sdk.parameters = without_titles(sdk.parameters)
        sdk.fn_metadata.output_schema = without_titles(sdk.fn_metadata.output_schema)
        if sdk.output_schema is None:
            raise TypeError(f"The tool {name} returns nothing with a schema: annotate a model or TypedDict.")
        scopes = (scope,) if isinstance(scope, Scope) else scope
        return Tool(name, scopes, function, sdk, frozenset(_names(sdk.fn_metadata.arg_model)))

    return define


def _check(name: str, function: Function) -> None:
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"The tool {name} is not an async function: database work belongs to `in_database`.")
    if not inspect.getdoc(function):
        raise TypeError(f"The tool {name} has no docstring, which is what clients are told of it.")


def _names(arguments: type[BaseModel]) -> Iterator[str]:
    for name, field in arguments.model_fields.items():
        other = field.validation_alias
        yield from (name, field.alias or name)
        yield from (other.choices if isinstance(other, AliasChoices) else [other or name])  # type: ignore[misc]


def description_of(function: Function) -> str:
    """The docstring as running text: one line a paragraph."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
