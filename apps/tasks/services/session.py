"""Going on with an agent's session, or from it. Every face that knows sessions calls these.

Where its program and its worker are known, the task is for them (`programs`).
"""

from dataclasses import replace

from apps.sessions.models import AgentSession
from apps.tasks.forks import FORK
from apps.tasks.models import Task
from apps.tasks.services.codebase import Wish, codebase_trigger


def session_resume(*, session: AgentSession, wish: Wish, by: str) -> Task:
    """A new task in the session. Raises what `task_create` raises."""
    within = replace(wish, session_id=session.session_id)
    return codebase_trigger(workspace_id=session.workspace_id, codebase_id=session.codebase_id, wish=within, by=by)


def session_fork(*, session: AgentSession, wish: Wish, by: str) -> Task:
    """A new task whose session begins with the history of this one, which stays as it is."""
    return session_resume(session=session, wish=replace(wish, metadata={**wish.metadata, FORK: True}), by=by)
