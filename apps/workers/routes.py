"""Routes of the protocol lane."""

from starlette.routing import BaseRoute

routes: list[BaseRoute] = []
