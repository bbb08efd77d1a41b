"""Errors as the caller of a tool reads them: `code: what is wrong; what to do`.

The reader is mostly a model, which can only go on where it is told how (MCP 2025-11-25, server/tools, error handling).
The code is the stable one of every face (docs/reference/errors.md), and stands in `_meta` for programs.
"""

from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp_types import CallToolResult, TextContent
from pydantic import ValidationError

from apps.core.errors import CodeTetherError, InvalidError
from apps.core.problems import problem_body, problem_of

META = "codetether/error"
REMEDIES = {
    "forbidden": "use a token that holds this scope, or ask an admin of the workspace for one",
    "codebase_forbidden": "name a codebase that the token is for",
    "task_not_found": "list_tasks shows the tasks that there are",
    "codebase_not_found": "list_codebases shows the codebases that there are",
    "agent_not_found": "discover_agents shows the agents that there are",
    "agent_ambiguous": "name one of them",
    "conversation_not_found": "list_tasks shows the tasks that there are, each with its context_id",
    "idempotency_key_reused": "choose another idempotency_key, or repeat the arguments of before",
    "remote_agent_exists": "list_remote_agents shows those that there are; choose another name",
    "remote_agent_not_found": "list_remote_agents shows those that there are",
    "tool_not_found": "search_tools shows the tools that you may call",
    "role_not_found": "discover_agents shows the roles that there are",
    "task_ended": "look at its result with get_task, or create another task",
    "wrong_state": "look at the task with get_task and do what its status allows",
    "codebase_busy": "wait until its task has ended, or cancel that first",
}
BY_STATUS = {
    400: "change the arguments and call again; get_tool_schema shows what a tool takes",
    401: "call again with a token that counts",
    403: "use a token that may do this",
    404: "check the id: what is not of your workspace is not found either",
    409: "look at how things are now before you call again",
    413: "send less at once",
    422: "change the arguments and call again",
    429: "call again later",
    503: "call again later",
}
OURS = "call again once; if that does not help, tell whoever runs the server, whose log has the details"


def tool_failure(problem: CodeTetherError) -> CallToolResult:
    """The result that tells the caller of a tool what went wrong, and what to do about it."""
    text = f"{problem.code}: {_wrong(problem)}; {_remedy(problem)}."
    return CallToolResult(
        content=[TextContent(type="text", text=text)], is_error=True, _meta={META: problem_body(problem)}
    )


def problem_with(error: Exception) -> CodeTetherError:
    """The error behind one that the SDK has wrapped; what nobody foresaw is logged and tells nothing of itself."""
    cause = error.__cause__ if isinstance(error, ToolError) else error
    if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
        return problem_of(_bad_arguments(cause))
    return problem_of(cause if isinstance(cause, Exception) else error)


def _bad_arguments(error: ValidationError) -> InvalidError:
    """Which arguments are wrong, and how; never with their values."""
    fields: dict[str, list[str]] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(part) for part in one["loc"]) or "arguments"
        fields.setdefault(name, []).append(one["msg"])
    return InvalidError("The arguments do not fit the tool's schema", errors=fields)


def _wrong(problem: CodeTetherError) -> str:
    detail = problem.detail.rstrip(".")
    said = (f"{name}: {', '.join(wrong)}" for name, wrong in (problem.errors or {}).items())
    more = "; ".join(one.rstrip(".") for one in said if one.rstrip(".") != detail)
    return f"{detail} ({more})" if more else detail


def _remedy(problem: CodeTetherError) -> str:
    if problem.retry_after is not None:
        return f"call again in {problem.retry_after} s"
    return REMEDIES.get(problem.code) or BY_STATUS.get(problem.status, OURS)
