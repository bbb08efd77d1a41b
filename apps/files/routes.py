"""Routes of files, in the protocol lane: the same file for who may read tasks, and for workers."""

from starlette.routing import BaseRoute

from apps.accounts.gate import guarded
from apps.accounts.permissions import Scope
from apps.files import serving

routes: list[BaseRoute] = [
    guarded("/v1/files/{file_id}", serving.file_send, methods=["GET"], scope=Scope.TASKS_READ),
    guarded("/v1/worker/files/{file_id}", serving.file_send, methods=["GET"], scope=Scope.WORKER),
]
