"""Routes of files, in the protocol lane, for who may read tasks (workers have a route of their own)."""

from starlette.routing import BaseRoute

from apps.accounts.gate import guarded
from apps.accounts.permissions import Scope
from apps.files import serving

routes: list[BaseRoute] = [
    guarded("/v1/files/{file_id}", serving.file_send, methods=["GET"], scope=Scope.TASKS_READ),
]
