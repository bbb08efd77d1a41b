"""Which route answers: what Starlette's own router would choose, for every address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

from codetether.asgi import lanes, protocol_routes
from codetether.lanes import PlacedRouter

WORDS = sorted({part for route in protocol_routes for part in route.path.split("/") if "{" not in part})  # type: ignore[attr-defined]
ADDRESSES = st.lists(st.sampled_from([*WORDS, "other", ""]), max_size=6).map(lambda parts: "/" + "/".join(parts))


def chosen(router: Router, path: str, method: str) -> tuple[object, object]:
    """The route that serves, and its parameters; None for the router's own default."""
    scope = {"type": "http", "path": path, "method": method, "headers": [(b"authorization", b"x")], "root_path": ""}
    for route in router.routes:
        match, found = route.matches(scope)
        if match.name == "FULL":
            return route, found.get("path_params")
    return None, None


@given(path=ADDRESSES, method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
def test_the_routes_of_a_place_choose_as_all_routes_do(path: str, method: str) -> None:
    assert chosen(lanes.part_for(path), path, method) == chosen(lanes, path, method)


def test_every_place_has_fewer_routes_than_there_are() -> None:
    assert len(lanes.part_for("/a2a/jsonrpc").routes) < 10 < len(protocol_routes)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "answer"),
    [("/a/b", "plain"), ("/a/b/c", "mount"), ("/x/b", "open"), ("/a/c/d", "mount"), ("/elsewhere", "default")],
)
async def test_a_placed_router_serves_plain_open_and_mounted_routes(path: str, answer: str) -> None:
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("mount")(scope, receive, send)

    async def default(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("default")(scope, receive, send)

    routes = [
        Route("/a/b", lambda _: PlainTextResponse("plain")),
        Route("/{any}/b", lambda _: PlainTextResponse("open")),
        Mount("/a", app=mounted),
    ]
    said: list[bytes] = []

    async def send(message: dict[str, bytes]) -> None:
        said.append(message.get("body", b""))

    scope = {"type": "http", "path": path, "method": "GET", "headers": [], "query_string": b"", "root_path": ""}
    await PlacedRouter(routes, default=default)(scope, None, send)  # type: ignore[arg-type]

    assert b"".join(said).decode() == answer
