"""A caller of the MCP tools, in process: through the server's own call path, in the test's transaction."""

from typing import Any

import pytest
from mcp_types import CallToolResult, TextContent

from apps.accounts.permissions import Role
from apps.accounts.principals import Credentials, Principal, authenticate
from apps.mcp.caller import calling
from apps.mcp.errors import META
from apps.mcp.server import ToolServer
from tests.api.conftest import Api
from tests.factories import Cast

SERVER = ToolServer()
BASE_URL = "http://testserver"
Json = dict[str, Any]


class Caller:
    """Calls tools as the bearer of `token`."""

    def __init__(self, api: Api, token: str) -> None:
        self.api = api
        self.token = token
        self.principal: Principal = authenticate(Credentials(f"Bearer {token}"))

    def bearing(self, token: str) -> "Caller":
        return Caller(self.api, token)

    def result(self, name: str, arguments: Json) -> CallToolResult:
        return self.api.runner.run(self.aresult(name, arguments))

    async def aresult(self, name: str, arguments: Json) -> CallToolResult:
        with calling(self.principal, BASE_URL):
            return await SERVER.call_tool(name, arguments)

    def call(self, name: str, /, **arguments: Any) -> Json:
        """The structured answer."""
        result = self.result(name, arguments)
        assert not result.is_error, text_of(result)
        assert result.structured_content is not None
        structured: Json = result.structured_content
        return structured

    def refused(self, name: str, /, **arguments: Any) -> Json:
        """What the tool's error says to programs; for models it says what to do next."""
        result = self.result(name, arguments)
        assert result.is_error, result.structured_content
        told: Json = (result.meta or {})[META]
        assert text_of(result).startswith(f"{told['code']}: ")
        assert "; " in text_of(result)
        return told

    def listed(self) -> list[str]:
        return self.api.runner.run(self._listed())

    async def _listed(self) -> list[str]:
        with calling(self.principal, BASE_URL):
            return [tool.name for tool in await SERVER.list_tools()]


def text_of(result: CallToolResult) -> str:
    (first, *_) = result.content
    assert isinstance(first, TextContent)
    return first.text


@pytest.fixture
def ada(api: Api) -> Caller:
    """An operator's caller."""
    return Caller(api, api.token)


@pytest.fixture
def boss(api: Api, cast: Cast) -> Caller:
    """An admin's."""
    return Caller(api, cast.token(Role.ADMIN))
