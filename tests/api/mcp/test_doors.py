"""Who gets in to MCP, by which port, and what the others are told."""

from typing import Any

import pytest

from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role
from apps.accounts.tokens import token_revoke
from apps.tasks.models import Task
from tests.api.conftest import Api
from tests.factories import Cast
from tests.fakes.identity_provider import IdentityProvider

RPC, MCP, TOOLS = "/mcp/v1/rpc", "/mcp", "/mcp/v1/tools"
CREATE = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {"name": "create_task", "arguments": {"title": "Till", "prompt": "Mend it"}},
}  # fmt: skip
WRITES = pytest.mark.parametrize("path", [RPC, MCP])


@WRITES
def test_without_a_token_the_answer_says_where_to_learn_how_to_get_one(api: Api, path: str) -> None:
    refused = api.bearing("").post(path, CREATE)
    metadata = "http://testserver/.well-known/oauth-protected-resource/mcp"
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == f'Bearer realm="codetether", resource_metadata="{metadata}"'
    assert api.bearing("").get(metadata).json() == {
        "resource": "http://testserver/mcp", "resource_name": "CodeTether", "bearer_methods_supported": ["header"],
    }  # fmt: skip
    assert not Task.objects.exists()


def test_the_metadata_name_the_identity_provider_where_there_is_one(api: Api, settings: Any) -> None:
    with IdentityProvider() as provider:
        settings.OIDC = provider.settings()
        told = api.bearing("").get("/.well-known/oauth-protected-resource").json()
    assert told["authorization_servers"] == [settings.OIDC.issuer]
    assert "openid" in told["scopes_supported"]


@WRITES
def test_a_token_that_was_taken_away_opens_nothing_more(api: Api, path: str) -> None:
    assert api.post(path, CREATE).status_code == 200
    token_revoke(token=ApiToken.objects.get())
    assert api.post(path, CREATE).status_code == 401
    assert Task.objects.count() == 1


@WRITES
@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://evil.example", "testserver", 403),
        ("null", "testserver", 403),
        ("http://evil.example", "evil.example", 403),
        ("http://127.0.0.1:9000", "127.0.0.1:9000", 200),
        ("http://localhost:9000", "localhost:9000", 200),
        ("https://app.example", "testserver", 200),
    ],
)
def test_pages_of_others_may_not_call(api: Api, settings: Any, path: str, origin: str, host: str, status: int) -> None:
    """Not even one whose name leads to us: with every name allowed, only names that nobody can point here count."""
    settings.ALLOWED_HOSTS, settings.CORS_ORIGINS = ["*"], ["https://app.example"]
    answer = api.post(path, CREATE, headers={"Origin": origin, "Host": host})
    assert answer.status_code == status, answer.text
    assert Task.objects.count() == (status == 200)


def test_our_own_pages_may_where_our_name_is_known(api: Api, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["tether.example"]
    ours = {"Origin": "https://tether.example", "Host": "tether.example"}
    assert api.post(RPC, CREATE, headers=ours).status_code == 200
    assert api.post(RPC, CREATE, headers={"Host": "evil.example"}).json()["code"] == "bad_host"
    assert Task.objects.count() == 1


@WRITES
def test_too_large_a_body_is_refused(api: Api, settings: Any, path: str) -> None:
    settings.MAX_BODY_BYTES = 1_000
    refused = api.post(path, {**CREATE, "more": "x" * 1_000})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert not Task.objects.exists()


@WRITES
def test_calls_are_counted(api: Api, fresh_counts: None, settings: Any, path: str) -> None:
    settings.RATE_LIMITS = {"operator": "1/minute"}
    assert [api.post(path, CREATE).status_code for _ in range(2)] == [200, 429]
    assert Task.objects.count() == 1


def test_there_is_no_stream_to_open_and_no_session_to_end(api: Api) -> None:
    for method in ("GET", "DELETE"):
        answer = api.call(method, MCP)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(("name", "status"), [("list_tasks", 200), ("  list_tasks  ", 200), ("get_task", 400)])
def test_the_new_era_says_in_headers_what_is_called(api: Api, name: str, status: int) -> None:
    version = "2026-07-28"
    about = {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_tasks", "_meta": about}}
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": "tools/call", "Mcp-Name": name}
    answer = api.post(MCP, call, headers=headers)
    assert answer.status_code == status, answer.text
    assert ("result" in answer.json()) == (status == 200)


def test_a_form_is_no_message_of_streamable_http(api: Api) -> None:
    refused = api.call("POST", MCP, content=b"{}", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")


def test_a_workspace_is_chosen_by_its_name(api: Api, cast: Cast) -> None:
    theirs = cast.elsewhere().workspace
    refused = api.post(RPC, CREATE, headers={"X-Workspace": theirs.slug})
    assert (refused.status_code, refused.json()["code"]) == (403, "workspace_forbidden")
    assert not Task.objects.exists()


def test_on_mcps_own_port_nothing_else_answers(api: Api, cast: Cast, settings: Any) -> None:
    settings.MCP_PORT = 9000
    own = "http://testserver:9000"
    assert api.get(f"{own}{TOOLS}").status_code == 200
    assert api.bearing("").get(f"{own}/health").json()["status"] == "healthy"
    admin = api.bearing(cast.token(Role.ADMIN))
    for path in ("/", "/admin/", "/v1/opencode/tasks", "/a2a/jsonrpc", "/.well-known/agent-card.json", "/metrics"):
        assert admin.get(own + path).status_code == 404, path
        assert admin.get(f"http://testserver:8000{path}").status_code != 404, path


def test_what_tools_tell_of_other_faces_is_not_on_mcps_own_port(api: Api, settings: Any) -> None:
    settings.MCP_PORT, settings.A2A_AGENT_URL = 9000, "http://localhost:8000"
    call = {**CREATE, "params": {"name": "get_agent_card", "arguments": {}}}
    told = api.post(f"http://testserver:9000{RPC}", call).text
    assert "http://testserver:8000/a2a/jsonrpc" in told
    assert ":9000" not in told
