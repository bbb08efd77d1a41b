"""What holds before either lane sees a request."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from apps.accounts.gate import json_response
from codetether.edge import Edge


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await json_response({"reached": True})(scope, receive, send)


def get(path: str, host: str) -> httpx.Response:
    return ask(inner, "GET", path, host=host)


def ask(app: Any, method: str, path: str, *, url: str = "http://x", **headers: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=Edge(app))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=url) as client:
            return await client.request(
                method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

    return asyncio.run(asked())


def page(media_type: str, **headers: str) -> Any:
    return Response(b"x", media_type=media_type, headers={n.replace("_", "-"): v for n, v in headers.items()})


@pytest.fixture
def named(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["codetether.example.org", "[::1]"]


@pytest.mark.parametrize("host", ["codetether.example.org", "codetether.example.org:8000", "[::1]:8000"])
def test_our_own_names_are_served(named: None, host: str) -> None:
    assert get("/v1/opencode/tasks", host).json() == {"reached": True}


@pytest.mark.parametrize("host", ["evil.example", "codetether.example.org.evil.example", "", "localhost@evil"])
def test_other_names_reach_nothing(named: None, host: str) -> None:
    answer = get("/v1/opencode/tasks", host)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_host")


def test_probes_know_only_an_address(named: None) -> None:
    assert get("/health", "10.0.0.7:8000").status_code == 200


def test_programs_answers_are_never_shown() -> None:
    policy = get("/v1/opencode/tasks", "x").headers["content-security-policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("path", ["/oidc/callback/", "/static/x.js", "/service-worker.js"])
def test_pages_run_nothing_inline(path: str) -> None:
    headers = ask(page("text/html; charset=utf-8"), "GET", path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


def test_the_console_is_the_known_exception() -> None:
    policy = ask(page("text/html"), "GET", "/admin/").headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert policy.count("unsafe-inline") == 1
    assert "worker-src 'self'" in policy
    assert "manifest-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_what_an_answer_says_itself_counts() -> None:
    answer = ask(page("text/html", content_security_policy="sandbox", x_frame_options="SAMEORIGIN"), "GET", "/x")
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_a_page_that_is_kept_keeps_its_policy() -> None:
    assert "content-security-policy" not in ask(Response(status_code=304), "GET", "/admin/").headers


def test_https_is_demanded_where_it_is_spoken(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD = True, False
    told = [
        ask(inner, "GET", "/v1/x", url="https://x"),
        ask(inner, "GET", "/v1/x", x_forwarded_proto="https"),
        ask(inner, "GET", "/v1/x"),
    ]
    wanted = "max-age=600; includeSubDomains"
    assert [answer.headers.get("strict-transport-security") for answer in told] == [wanted, wanted, None]


APP = "https://app.example.org"


def preflight(path: str = "/a2a/jsonrpc", origin: str = APP) -> httpx.Response:
    return ask(inner, "OPTIONS", path, origin=origin, access_control_request_method="POST")


def test_pages_elsewhere_may_not_call() -> None:
    for answer in (preflight(), ask(inner, "GET", "/a2a/jsonrpc", origin=APP)):
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_listed_page_may_call_with_a_token(settings: Any) -> None:
    settings.CORS_ORIGINS = [APP]
    asked = preflight()
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == APP
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    answer = ask(inner, "POST", "/a2a/jsonrpc", origin=APP)
    assert answer.json() == {"reached": True}
    assert answer.headers["access-control-allow-origin"] == APP
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://app.example.org.evil.example", "http://app.example.org", "null"])
def test_another_page_may_not(settings: Any, origin: str) -> None:
    settings.CORS_ORIGINS = [APP]
    assert preflight(origin=origin).json() == {"reached": True}  # left to the route, which refuses the verb
    assert "access-control-allow-origin" not in preflight(origin=origin).headers


@pytest.mark.parametrize("origins", [[APP], ["*"]])
def test_no_page_elsewhere_uses_a_browsers_session(settings: Any, origins: list[str]) -> None:
    settings.CORS_ORIGINS = origins
    for answer in (preflight(), ask(inner, "GET", "/v1/x", origin=APP)):
        assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in preflight("/admin/login/").headers
