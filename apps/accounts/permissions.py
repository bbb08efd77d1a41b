"""Which scopes there are, and which role holds which. `apps/accounts/ways_in.py` says which each way in needs.

A scope is `<thing>:<read|write>`, or one of `worker` (speak the worker protocol) and `admin` (tokens, members,
settings). A principal's scopes are those of its role, narrowed by its token's own list where that has one.
"""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    TASKS_READ = "tasks:read"
    TASKS_WRITE = "tasks:write"
    CODEBASES_READ = "codebases:read"
    CODEBASES_WRITE = "codebases:write"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    WORKER = "worker"
    ADMIN = "admin"


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    WORKER = "worker"


READS = frozenset({Scope.TASKS_READ, Scope.CODEBASES_READ, Scope.SESSIONS_READ})
WRITES = frozenset({Scope.TASKS_WRITE, Scope.CODEBASES_WRITE, Scope.SESSIONS_WRITE})

ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.VIEWER: READS,
    Role.OPERATOR: READS | WRITES,
    Role.ADMIN: frozenset(Scope),
    Role.WORKER: frozenset({Scope.WORKER}),
}


def scopes_of(role: Role, narrowed_to: Iterable[str] = ()) -> frozenset[Scope]:
    """The scopes of `role`, or of `narrowed_to` within it when that names any. Unknown names grant nothing."""
    wanted = {Scope(name) for name in narrowed_to if name in Scope}
    return ROLE_SCOPES[role] & wanted if list(narrowed_to) else ROLE_SCOPES[role]


Scopes = tuple[Scope, ...]
"""What a way in needs: any one of these. None at all: any caller who is known."""
