"""The tools without a session: one JSON-RPC call by POST, whatever it says it is, and what there is to read by GET.

It is how MCP was spoken here before Streamable HTTP, and the shortest way for a script (docs/reference/mcp.md). The
structured fields of a result stand beside MCP's own, so that `jq .result.status` finds them.
"""

from contextlib import AbstractContextManager
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, CallToolResult
from starlette.requests import Request
from starlette.responses import Response

from apps.accounts.gate import body_of, credentials_of, json_response
from apps.accounts.principals import Principal
from apps.core import jsontext
from apps.core.errors import MalformedError, NotFoundError, UnsupportedMediaError
from apps.core.headers import headers_of
from apps.mcp.caller import calling
from apps.mcp.elsewhere import other_faces_url
from apps.mcp.transport import Answer, as_plain_json, face, trim_headers

Json = dict[str, Any]
RequestId = str | int | None
ID_LIMIT = 1_000


async def streamable(request: Request, principal: Principal) -> Response:
    """A message to the SDK; what no JSON text of ours could hold is refused before."""
    if not headers_of(request).get("content-type", "").lower().startswith("application/json"):
        raise UnsupportedMediaError("Send JSON: 'Content-Type: application/json'.")
    raw = await body_of(request)
    try:
        jsontext.loads(raw)
    except MalformedError as error:
        return _refused(None, PARSE_ERROR, error.detail, 400)
    trim_headers(request)
    return Answer(await face(), raw, _by(request, principal))


async def rpc(request: Request, principal: Principal) -> Response:
    """One call, answered with HTTP 200 also where the tool fails; without an id too, which was never asked for here."""
    raw, asked_id = await body_of(request), None
    try:
        asked = _object_in(raw)
        asked_id = _id_in(asked)
        method, params = _method_in(asked)
        if method in ANSWERS:
            with _by(request, principal):
                result = await ANSWERS[method](params)
            return json_response({"jsonrpc": "2.0", "id": asked_id, "result": result})
    except MalformedError as error:
        return _refused(None, PARSE_ERROR, error.detail, 400)
    except MCPError as error:
        return _refused(asked_id, error.error.code, error.error.message, 200)
    as_plain_json(request)  # all else is said as by any client without a handshake
    return Answer(await face(), raw, _by(request, principal))


async def tools(request: Request, principal: Principal) -> Response:
    """The tools that the caller may call, as tools/list has them."""
    with _by(request, principal):
        found = await _list({})
    return json_response({**found, "total": len(found["tools"])})


async def tasks(request: Request, principal: Principal) -> Response:
    """What the tool list_tasks gives, with its arguments in the query."""
    return await _read(request, principal, "list_tasks", dict(request.query_params))


async def task(request: Request, principal: Principal) -> Response:
    """What the tool get_task gives."""
    task_id = request.path_params["task_id"]
    if "\0" in task_id:
        raise NotFoundError("There is nothing at this address.")
    return await _read(request, principal, "get_task", {**request.query_params, "task_id": task_id})


async def _read(request: Request, principal: Principal, name: str, arguments: Json) -> Response:
    """The tool's structured answer, or its error as REST tells it. Which workspace was said of who asks, not of it."""
    arguments.pop("workspace", None)
    with _by(request, principal):
        result = await (await face()).server.run_tool(name, arguments)
    return json_response(result.structured_content)


async def _list(params: Json) -> Json:
    return {"tools": await (await face()).server.tools_told()}


async def _call(params: Json) -> Json:
    name, arguments = params.get("name"), params.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict | None):
        raise MCPError(INVALID_PARAMS, "params: give the tool's 'name', and its 'arguments' as an object.")
    return _flat(await (await face()).server.call_tool(name, arguments or {}))


def _flat(result: CallToolResult) -> Json:
    own = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**(result.structured_content or {}), **own}


async def _ping(params: Json) -> Json:
    return {}


ANSWERS = {"tools/list": _list, "tools/call": _call, "ping": _ping}


def _by(request: Request, principal: Principal) -> AbstractContextManager[None]:
    """The block within which this caller calls."""
    return calling(principal, other_faces_url(request), credentials_of(request))


def _object_in(raw: bytes) -> Json:
    asked = jsontext.loads(raw)
    if not isinstance(asked, dict):
        raise MCPError(INVALID_REQUEST, "Send one JSON-RPC request object at a time.")
    return asked


def _id_in(asked: Json) -> RequestId:
    given = asked.get("id")
    if isinstance(given, bool) or not isinstance(given, str | int | None) or len(str(given)) > ID_LIMIT:
        raise MCPError(INVALID_REQUEST, "id: give a text or a whole number.")
    return given


def _method_in(asked: Json) -> tuple[str, Json]:
    method, params = asked.get("method"), asked.get("params")
    if asked.get("jsonrpc", "2.0") != "2.0" or not isinstance(method, str) or not method:
        raise MCPError(INVALID_REQUEST, "Give jsonrpc '2.0' and the name of a method, such as tools/call.")
    if not isinstance(params, dict | None):
        raise MCPError(INVALID_PARAMS, "params: give an object.")
    return method, params or {}


def _refused(asked_id: RequestId, code: int, message: str, status: int) -> Response:
    return json_response({"jsonrpc": "2.0", "id": asked_id, "error": {"code": code, "message": message}}, status)
