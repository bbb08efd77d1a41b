"""Which agent program a new task is for, and the one machine on which its session can be gone on with.

Both become part of what the task `requires`, so the claim needs no rule for them: workers register the names of the
programs that they have among their capabilities, and each has the capability `worker:{its id}`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.prepared import execute
from apps.tasks.forks import FORK, FORKED_FROM
from apps.tasks.models import GLOBAL_QUEUE

if TYPE_CHECKING:
    from apps.tasks.services.create import NewTask

WAYS_OF_WORKING = frozenset({"build", "plan", "explore", "general"})
"""What `metadata.agent` may also hold; every program can work in each of these ways."""
KEPT_BY = "worker:"
"""Begins the capability that only the worker of that id has."""
SESSION_AGENT = "session_agent"
"""In a task's metadata: the program that keeps the session which it goes on with. Nobody but the server says so."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What routing adds to a new task."""

    requires: list[str]
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the server knows of a task's place: the codebase's program, the session's, and who keeps the session."""

    codebase: str = ""
    session: str = ""
    worker_id: str = ""


def kept_by(worker_id: str) -> str:
    """The capability that only this worker has."""
    return f"{KEPT_BY}{worker_id}"


def keepers_in(requires: Any) -> list[str]:
    """The workers that `requires` names: none, or the one that keeps the task's session."""
    return [name.removeprefix(KEPT_BY) for name in requires if name.startswith(KEPT_BY)]


def routed(workspace_id: uuid.UUID, new: "NewTask") -> Routed:
    """The program by, in this order: `metadata.agent`, the session, the codebase; else the worker chooses.

    A session is gone on with where it is kept, unless the task asks for another program than the session's.
    """
    metadata = {name: value for name, value in new.metadata.items() if name not in (SESSION_AGENT, FORKED_FROM)}
    explicit = program_named(metadata)
    known = _known(workspace_id, new) if new.session_id or not explicit else _Known()
    requires = {*new.requires, explicit or known.session or known.codebase}
    if explicit not in ("", known.session):
        requires -= {name for name in requires if name.startswith(KEPT_BY)}
    elif known.worker_id:
        requires.add(kept_by(known.worker_id))
    if known.session:
        metadata[SESSION_AGENT] = known.session
    if metadata.get(FORK) is True:
        metadata[FORKED_FROM] = new.session_id
    return Routed(sorted(requires - {""}), metadata)


def program_named(metadata: Mapping[str, Any]) -> str:
    """The program that a task's `metadata.agent` asks for by name; empty where it asks for none."""
    agent = metadata.get("agent")
    return agent if isinstance(agent, str) and agent not in WAYS_OF_WORKING else ""


_PLACE = """
SELECT c.agent_config->>'program', s.source, s.worker_id FROM codebases_codebase c
LEFT JOIN agent_sessions_agentsession s
    ON s.codebase_id = c.id AND s.session_id = %(session_id)s::text AND s.session_id <> ''
WHERE c.id = %(codebase_id)s::text AND c.workspace_id = %(workspace_id)s"""

_EARLIER = """
SELECT e.data->>'agent' FROM tasks_taskevent e
WHERE e.task_id = %(resumes)s AND e.workspace_id = %(workspace_id)s AND e.kind = 'session'
ORDER BY e.seq DESC LIMIT 1"""
"""By which program the session of an earlier task was opened."""


def _known(workspace_id: uuid.UUID, new: "NewTask") -> _Known:
    place: tuple[Any, ...] = ()
    if new.codebase_id not in ("", GLOBAL_QUEUE):
        params = {"workspace_id": workspace_id, "codebase_id": new.codebase_id, "session_id": new.session_id}
        place = next(iter(execute(_PLACE, params)), ())
    program, source, worker_id = place or ("", "", "")
    if not source and new.session_id and new.resumes and not new.target_agent:  # else the role says who goes on
        rows = execute(_EARLIER, {"workspace_id": workspace_id, "resumes": new.resumes})
        source = rows[0][0] if rows else ""
    return _Known(program or "", source or "", worker_id or "")
