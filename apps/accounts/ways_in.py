"""The one permission table: which scope each way in needs.

The views and endpoints say at their place what they need; they, the documentation and the matrix of refusals
(`tests/api/test_matrix.py`) are held to this table, both ways.
"""

from apps.accounts.permissions import Scope, Scopes

KNOWN: Scopes = ()
EVERYBODY = None

_WAYS_IN: tuple[tuple[Scopes | None, str], ...] = (
    (
        EVERYBODY,
        """
        GET /
        GET /.well-known/agent-card.json
        GET /.well-known/agent.json
        GET /.well-known/jwks.json
        GET /.well-known/oauth-protected-resource
        GET /.well-known/oauth-protected-resource/mcp
        GET /a2a
        GET /a2a/
        GET /a2a/jsonrpc
        GET /health
        GET /health/ready
        GET /oidc/authenticate/
        POST /oidc/backchannel-logout
        GET /oidc/callback/
        POST /oidc/logout/
        GET /v1/a2a
        POST /v1/auth/login
        POST /v1/auth/refresh
        GET /v1/auth/status
        GET /v1/docs
        GET /v1/health
        POST /v1/invitations/accept
        GET /v1/monitor
        GET /v1/monitor/
        GET /v1/schema
        """,
    ),
    (
        KNOWN,
        """
        POST /mcp
        POST /mcp/v1/message
        POST /mcp/v1/rpc
        GET /mcp/v1/tools
        POST /v1/auth/logout
        GET /v1/auth/me
        GET /v1/auth/sessions
        DELETE /v1/auth/sessions/{session_id}
        GET /v1/workspaces
        """,
    ),
    (
        (Scope.ADMIN,),
        """
        GET /metrics
        GET /v1/audit
        GET /v1/audit/export
        GET /v1/audit/verify
        POST /v1/agents/remote
        DELETE /v1/agents/remote/{name}
        PATCH /v1/agents/remote/{name}
        POST /v1/agents/remote/{name}/refresh
        GET /v1/opencode/runtime/projects
        GET /v1/opencode/runtime/sessions
        GET /v1/opencode/runtime/sessions/{session_id}
        GET /v1/opencode/runtime/sessions/{session_id}/messages
        GET /v1/opencode/runtime/sessions/{session_id}/parts
        GET /v1/opencode/runtime/status
        DELETE /v1/opencode/codebases/{codebase_id}/variables/{name}
        PUT /v1/opencode/codebases/{codebase_id}/variables/{name}
        PUT /v1/queue/limits
        GET /v1/users/api-keys
        POST /v1/users/api-keys
        DELETE /v1/users/api-keys/{token_id}
        GET /v1/users/api-keys/{token_id}
        POST /v1/users/api-keys/{token_id}/rotate
        DELETE /v1/workspace/variables/{name}
        PUT /v1/workspace/variables/{name}
        GET /v1/workspaces/{workspace}/invitations
        POST /v1/workspaces/{workspace}/invitations
        DELETE /v1/workspaces/{workspace}/invitations/{invitation_id}
        GET /v1/workspaces/{workspace}/members
        DELETE /v1/workspaces/{workspace}/members/{user_id}
        GET /v1/workspaces/{workspace}/members/{user_id}
        PATCH /v1/workspaces/{workspace}/members/{user_id}
        """,
    ),
    (
        (Scope.CODEBASES_READ,),
        """
        GET /v1/opencode/codebases
        GET /v1/opencode/codebases/list
        GET /v1/opencode/codebases/{codebase_id}
        GET /v1/opencode/codebases/{codebase_id}/status
        GET /v1/opencode/codebases/{codebase_id}/variables
        GET /v1/opencode/database/codebases
        GET /v1/workspace/variables
        """,
    ),
    (
        (Scope.CODEBASES_WRITE,),
        """
        DELETE /v1/opencode/codebases/{codebase_id}
        PATCH /v1/opencode/codebases/{codebase_id}
        """,
    ),
    (
        (Scope.CODEBASES_WRITE, Scope.WORKER),
        """
        POST /v1/opencode/codebases
        """,
    ),
    (
        (Scope.SESSIONS_READ,),
        """
        GET /v1/monitor/messages
        GET /v1/monitor/messages/count
        GET /v1/monitor/messages/search
        GET /v1/opencode/codebases/{codebase_id}/messages
        GET /v1/opencode/codebases/{codebase_id}/sessions
        GET /v1/opencode/codebases/{codebase_id}/sessions/{session_id}
        GET /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/messages
        GET /v1/opencode/database/sessions
        """,
    ),
    (
        (Scope.SESSIONS_WRITE, Scope.WORKER),
        """
        POST /v1/opencode/codebases/{codebase_id}/sessions/sync
        POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/ingest
        POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/messages/sync
        """,
    ),
    (
        (Scope.TASKS_READ,),
        """
        POST /
        POST /a2a
        POST /a2a/
        GET /a2a/agents/{role}
        POST /a2a/agents/{role}
        GET /a2a/agents/{role}/.well-known/agent-card.json
        POST /a2a/jsonrpc
        GET /a2a/rest/extendedAgentCard
        GET /a2a/rest/tasks
        GET /a2a/rest/tasks/{task_id}
        GET /a2a/rest/tasks/{task_id}/pushNotificationConfigs
        GET /a2a/rest/tasks/{task_id}/pushNotificationConfigs/{config_id}
        GET /a2a/rest/tasks/{task_id}:subscribe
        POST /a2a/rest/tasks/{task_id}:subscribe
        GET /a2a/rest/v1/card
        GET /a2a/rest/v1/tasks/{task_id}
        GET /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs
        GET /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs/{config_id}
        GET /a2a/rest/v1/tasks/{task_id}:subscribe
        POST /a2a/rest/v1/tasks/{task_id}:subscribe
        GET /agents
        GET /mcp/v1/tasks
        GET /mcp/v1/tasks/{task_id}
        POST /v1/a2a
        GET /v1/agents
        GET /v1/agents/remote
        GET /v1/agents/remote/{name}
        GET /v1/files/{file_id}
        GET /v1/monitor/agents
        GET /v1/monitor/export/csv
        GET /v1/monitor/export/json
        GET /v1/monitor/stats
        GET /v1/monitor/stream
        GET /v1/monitor/workers
        GET /v1/opencode/codebases/{codebase_id}/events
        GET /v1/opencode/codebases/{codebase_id}/tasks
        GET /v1/opencode/codebases/{codebase_id}/working-trees
        GET /v1/opencode/database/status
        GET /v1/opencode/database/workers
        GET /v1/opencode/models
        GET /v1/opencode/providers
        GET /v1/opencode/reaper/health
        GET /v1/opencode/status
        GET /v1/opencode/tasks
        GET /v1/opencode/tasks/stuck
        GET /v1/opencode/tasks/{task_id}
        GET /v1/opencode/tasks/{task_id}/events
        GET /v1/opencode/tasks/{task_id}/files
        GET /v1/opencode/tasks/{task_id}/output
        GET /v1/opencode/tasks/{task_id}/output/stream
        GET /v1/opencode/workers
        GET /v1/opencode/workers/{worker_id}
        GET /v1/queue/limits
        GET /v1/queue/my
        GET /v1/queue/runs
        GET /v1/queue/runs/{run_id}
        GET /v1/queue/status
        GET /v1/worker/connected
        GET /v1/worker/connected/{worker_id}
        GET /v1/workers/connected
        WS /ws/monitor/
        WS /ws/tasks/{task_id}/
        """,
    ),
    (
        (Scope.TASKS_WRITE,),
        """
        POST /v1/monitor/intervene
        POST /a2a/rest/message:send
        POST /a2a/rest/message:stream
        POST /a2a/rest/tasks/{task_id}/pushNotificationConfigs
        DELETE /a2a/rest/tasks/{task_id}/pushNotificationConfigs/{config_id}
        POST /a2a/rest/tasks/{task_id}:cancel
        POST /a2a/rest/v1/message:send
        POST /a2a/rest/v1/message:stream
        POST /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs
        DELETE /a2a/rest/v1/tasks/{task_id}/pushNotificationConfigs/{config_id}
        POST /a2a/rest/v1/tasks/{task_id}:cancel
        POST /v1/opencode/codebases/{codebase_id}/interrupt
        POST /v1/opencode/codebases/{codebase_id}/message
        POST /v1/opencode/codebases/{codebase_id}/pause
        POST /v1/opencode/codebases/{codebase_id}/resume
        POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/fork
        POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/resume
        POST /v1/opencode/codebases/{codebase_id}/stop
        POST /v1/opencode/codebases/{codebase_id}/tasks
        POST /v1/opencode/codebases/{codebase_id}/trigger
        POST /v1/opencode/tasks
        POST /v1/opencode/tasks/stuck/recover
        PATCH /v1/opencode/tasks/{task_id}
        POST /v1/opencode/tasks/{task_id}/approve
        POST /v1/opencode/tasks/{task_id}/cancel
        POST /v1/opencode/tasks/{task_id}/input
        POST /v1/opencode/tasks/{task_id}/requeue
        POST /v1/opencode/tasks/{task_id}/working-tree
        POST /v1/opencode/workers/{worker_id}/drain
        POST /v1/queue/pause
        POST /v1/queue/resume
        """,
    ),
    (
        (Scope.WORKER,),
        """
        POST /v1/opencode/tasks/{task_id}/output
        PUT /v1/opencode/tasks/{task_id}/status
        POST /v1/opencode/workers/register
        POST /v1/opencode/workers/{worker_id}/heartbeat
        POST /v1/opencode/workers/{worker_id}/unregister
        POST /v1/tasks/{task_id}/claim
        PUT /v1/worker/codebases
        GET /v1/worker/files/{file_id}
        POST /v1/worker/tasks/claim
        POST /v1/worker/tasks/release
        GET /v1/worker/tasks/stream
        POST /v1/worker/tasks/{task_id}/events
        POST /v1/worker/tasks/{task_id}/files
        PUT /v1/worker/working-trees
        """,
    ),
)
ROUTES: dict[str, Scopes | None] = {
    route.strip(): scopes for scopes, routes in _WAYS_IN for route in routes.strip().splitlines()
}
"""Who may use which way in: `METHOD /path` (`WS` for a WebSocket; `/v1/agent/…` is `/v1/opencode/…` as well).

A2A's addresses need more for methods that write: their scopes stand at the operations (`apps/a2a/operations.py`). MCP's
take every known caller, and each tool asks for its own scope (`apps/mcp/tools`).
"""
