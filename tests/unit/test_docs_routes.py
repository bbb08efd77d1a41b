"""Every route is documented with its scope, and every documented route exists."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from apps.a2a.legacy import state as legacy_state
from apps.a2a.methods import METHODS, OLD
from apps.a2a.projection import STATES
from apps.live.sockets import websocket_urlpatterns
from codetether.asgi import protocol_routes
from tests.api.bad_input import unmounted
from tests.unit.documents import DOCS, marked, rows

Route = tuple[str, str]
NOT_OURS = ("/admin/",)
ALIAS, PREFIX = "/v1/agent/", "/v1/opencode/"
NEEDS_NO_SCOPE = {"none", "any token"}


def management_routes(patterns: Iterable[Any], before: str = "/") -> Iterator[tuple[str, str, frozenset[str]]]:
    """(method, path, scopes) of Django's routes; a path's parameters as `{name}`."""
    for pattern in patterns:
        path = before + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if path.startswith(NOT_OURS):
            continue
        if isinstance(pattern, URLResolver):
            yield from management_routes(pattern.url_patterns, path)
        else:
            yield from ((method, path, scopes) for method, scopes in methods_of(pattern))


def methods_of(pattern: URLPattern) -> Iterator[tuple[str, frozenset[str]]]:
    view = pattern.callback.view_class  # type: ignore[attr-defined]
    options = pattern.callback.view_initkwargs  # type: ignore[attr-defined]
    allowed = options.get("http_method_names", view.http_method_names)
    scopes = getattr(view, "required_scopes", {"GET": ()})
    return ((method, frozenset(map(str, scopes[method]))) for method in scopes if method.lower() in allowed)


def protocol_lane() -> Iterator[tuple[str, str, frozenset[str]]]:
    for path, route in unmounted(protocol_routes):
        scope = route.required_scope  # type: ignore[attr-defined]
        for method in (route.methods or set()) - {"HEAD"}:
            yield method, path, frozenset([str(scope)] if scope else [])


def sockets() -> Iterator[Route]:
    for pattern in websocket_urlpatterns:
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", str(pattern.pattern)).strip("^$")
        if path:  # the last pattern refuses all others
            yield "WS", "/" + path.replace("/?", "/")


def existing() -> dict[Route, frozenset[str]]:
    found = [*management_routes(get_resolver().url_patterns), *protocol_lane()]
    return {(method, path): scopes for method, path, scopes in found}


def documented() -> dict[Route, str]:
    table = rows("**/*.md", "Method", "Path", "Scope")
    entries = [((row["Method"], marked(row["Path"])[0]), row["Scope"]) for row in table]
    assert len(entries) == len(dict(entries)), "a route is documented twice"
    return dict(entries)


def test_every_route_is_documented_and_exists() -> None:
    ours = {route for route in existing() if not route[1].startswith(ALIAS)} | set(sockets())
    assert ours == set(documented())


def test_every_documented_scope_is_the_one_that_is_asked_for() -> None:
    routes = existing()
    for route, cell in documented().items():
        if route[0] != "WS":
            assert frozenset(marked(cell)) == routes[route], route
            assert marked(cell) or cell in NEEDS_NO_SCOPE, route


def test_both_prefixes_serve_the_same() -> None:
    routes = existing()
    ours = {(method, path): scopes for (method, path), scopes in routes.items() if path.startswith(PREFIX)}
    alias = {(m, path.replace(ALIAS, PREFIX)): scopes for (m, path), scopes in routes.items() if path.startswith(ALIAS)}
    assert ours == alias


@pytest.mark.parametrize("method", METHODS)
def test_every_a2a_method_is_documented_with_its_scope(method: str) -> None:
    column = "Version 0.3" if METHODS[method].version == OLD else "Version 1.0"
    table = rows("reference/a2a.md", "Version 0.3", "Version 1.0", "Scope")
    scopes = [marked(row["Scope"]) for row in table if marked(row[column]) == [method]]
    assert scopes == [[str(METHODS[method].operation.scope)]]


def test_every_documented_a2a_method_exists() -> None:
    table = rows("reference/a2a.md", "Version 0.3", "Version 1.0")
    assert {name for row in table for name in marked(row["Version 0.3"]) + marked(row["Version 1.0"])} == set(METHODS)


def test_the_states_are_spelled_for_a2a_as_documented() -> None:
    table = rows("reference/a2a.md", "Ours", "A2A 0.3", "A2A 1.0")
    spelled = {tuple(name for cell in row.values() for name in marked(cell)) for row in table}
    assert spelled == {(str(ours), legacy_state(theirs), theirs) for ours, theirs in STATES.items()}


def test_the_paths_named_in_prose_exist() -> None:
    """Not only in tables: what a page mentions as a path of ours is one."""
    known = {path for _, path in documented()}
    known |= {path.replace(PREFIX, ALIAS) for path in known}
    mentioned = {name for name in names_in_prose() if name.startswith(("/v1/", "/health", "/a2a/"))}
    assert {path for path in mentioned if "…" not in path and path not in ("/v1/opencode", "/v1/agent")} <= known


def names_in_prose() -> set[str]:
    text = "\n".join(path.read_text() for path in DOCS.rglob("*.md"))
    return {word.split(" ")[-1] for word in re.findall(r"`([^`\n]+)`", text)}
