"""Which route answers: Starlette's router, which looks only at routes that an address can be meant for.

Starlette asks each of some eighty routes in turn, with a regular expression. Here they are sorted once by the first two
parts of their paths; within such a place its own rules hold, in the same order.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from starlette.routing import BaseRoute, Mount, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

PARTS = 2


class PlacedRouter(Router):
    """A Router whose routes do not change once it is made."""

    def __init__(self, routes: Sequence[BaseRoute], *, default: ASGIApp, lifespan: Lifespan[Any] | None = None) -> None:
        super().__init__(routes, default=default, lifespan=lifespan, redirect_slashes=False)
        places = {_place(_path(route)) for route in routes}
        self._places = {place: self._part(partial(_may_serve, place=place)) for place in places}
        self._elsewhere = self._part(_is_open, Mount)

    def _part(self, has_path: Callable[[str], bool], *kinds: type[BaseRoute]) -> Router:
        routes = [route for route in self.routes if has_path(_path(route)) or isinstance(route, kinds)]
        return Router(routes, default=self.default, redirect_slashes=False)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve by the routes of the address's place; by all of them where the application stands below a root."""
        if scope["type"] != "http" or scope.get("root_path"):
            await super().app(scope, receive, send)
        else:
            await self.part_for(scope["path"]).app(scope, receive, send)

    def part_for(self, path: str) -> Router:
        """The router of those routes that may serve the address."""
        return self._places.get(_place(path), self._elsewhere)


def _path(route: BaseRoute) -> str:
    path: str = route.path  # type: ignore[attr-defined]  # every kind of route that we use has one
    return path


def _place(path: str) -> tuple[str, ...]:
    """The first parts of a path; of a shorter one, what there is."""
    return tuple(path.split("/", PARTS + 1)[1 : PARTS + 1])


def _is_open(path: str) -> bool:
    """Whether one of its first parts is a parameter, so that it serves more places than one."""
    return any("{" in part for part in _place(path))


def _may_serve(path: str, place: tuple[str, ...]) -> bool:
    """Whether a route (or a mount, which serves all below it) may serve addresses of that place."""
    for mine, asked in zip(_place(path), place, strict=False):
        if "{" in mine:
            return True
        if mine != asked:
            return False
    return True
