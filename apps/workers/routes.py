"""Routes of the worker protocol, in the protocol lane."""

from starlette.routing import BaseRoute

from apps.accounts.gate import guarded
from apps.accounts.permissions import Scope
from apps.workers import protocol, stream, trees, uploads

PREFIXES = ("/v1/opencode", "/v1/agent")

routes: list[BaseRoute] = [
    guarded("/v1/worker/tasks/stream", stream.tasks_stream, methods=["GET"], scope=Scope.WORKER),
    guarded("/v1/worker/tasks/claim", protocol.claim, methods=["POST"], scope=Scope.WORKER),
    guarded("/v1/tasks/{task_id}/claim", protocol.claim_one, methods=["POST"], scope=Scope.WORKER),
    guarded("/v1/worker/tasks/release", protocol.release, methods=["POST"], scope=Scope.WORKER),
    guarded("/v1/worker/tasks/{task_id}/events", protocol.events, methods=["POST"], scope=Scope.WORKER),
    guarded("/v1/worker/files/{file_id}", uploads.file_fetch, methods=["GET"], scope=Scope.WORKER),
    guarded(uploads.PATH, uploads.file_receive, methods=["POST"], scope=Scope.WORKER),
    guarded("/v1/worker/codebases", protocol.codebases, methods=["PUT"], scope=Scope.WORKER),
    guarded("/v1/worker/working-trees", trees.working_trees, methods=["PUT"], scope=Scope.WORKER),
    guarded("/v1/worker/connected", protocol.connected, methods=["GET"], scope=Scope.TASKS_READ),
    guarded("/v1/workers/connected", protocol.connected, methods=["GET"], scope=Scope.TASKS_READ),
    guarded("/v1/worker/connected/{worker_id}", protocol.connected_one, methods=["GET"], scope=Scope.TASKS_READ),
    *(
        route
        for prefix in PREFIXES
        for route in (
            guarded(f"{prefix}/workers/register", protocol.register, methods=["POST"], scope=Scope.WORKER),
            guarded(
                f"{prefix}/workers/{{worker_id}}/heartbeat",
                protocol.heartbeat,
                methods=["POST"],
                scope=Scope.WORKER,
            ),
            guarded(
                f"{prefix}/workers/{{worker_id}}/unregister",
                protocol.unregister,
                methods=["POST"],
                scope=Scope.WORKER,
            ),
            guarded(
                f"{prefix}/workers/{{worker_id}}/drain",
                protocol.drain,
                methods=["POST"],
                scope=Scope.TASKS_WRITE,
            ),
        )
    ),
]
