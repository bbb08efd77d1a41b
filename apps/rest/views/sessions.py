"""Sessions of agent programs: what workers sync, what people read, and going on with one."""

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from apps.accounts.permissions import Scope
from apps.codebases.models import Codebase
from apps.codebases.selectors import codebase_get
from apps.rest import answers
from apps.rest.bodies import ForkBody, IngestBody, MessagesBody, ResumeBody, SessionsBody, SyncBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import Page, SessionMessagesQuery, SessionsQuery
from apps.sessions import reading
from apps.sessions.models import AgentSession
from apps.sessions.search import sessions_search
from apps.sessions.selectors import message_facts, messages_of, session_facts, session_get, sessions_of
from apps.sessions.services import messages_sync, sessions_sync
from apps.tasks.services import Wish, session_fork, session_resume
from apps.workers.owning import check_own

if TYPE_CHECKING:
    from apps.tasks.models import Task

Begin = Callable[..., "Task"]
"""`session_resume` or `session_fork`."""


class _OfCodebase(Endpoint):
    def codebase(self, codebase_id: str) -> Codebase:
        self.caller.require_codebase(codebase_id)
        return codebase_get(workspace_id=self.caller.workspace_id, codebase_id=codebase_id)

    def session(self, codebase_id: str, session_id: str) -> AgentSession:
        self.caller.require_codebase(codebase_id)
        return session_get(workspace_id=self.caller.workspace_id, codebase_id=codebase_id, session_id=session_id)

    def sync(self, codebase_id: str, body: SyncBody, sessions: Sequence[reading.SyncedSession]) -> int:
        """Note `sessions` as `body` tells them; how many they were."""
        codebase = self.codebase(codebase_id)
        if Scope.SESSIONS_WRITE not in self.caller.scopes:
            check_own(self.caller, body.worker_id)
        return sessions_sync(
            workspace_id=codebase.workspace_id,
            codebase_id=codebase.id,
            worker_id=body.worker_id,
            sessions=sessions,
            source=body.source,
        )

    def begun(self, begin: Begin, session: AgentSession, body: ResumeBody, told: str, title: str = "") -> Answer:
        """Make a task out of `session`, and tell of it."""
        wish = Wish(prompt=body.prompt, title=title, agent_type=body.agent, model=body.model)
        task = begin(session=session, wish=wish, by=self.caller.name)
        return {
            "success": True,
            "message": told,
            "task_id": str(task.id),
            "session_id": session.session_id,
            "status": task.state,
        }


class Sessions(_OfCodebase):
    @operation(Scope.SESSIONS_READ, answers=answers.SessionPage)
    def get(self, codebase_id: str, query: SessionsQuery) -> Answer:
        """List a codebase's sessions, last changed first; with `q` those that hold these words, best first."""
        self.codebase(codebase_id)
        return _sessions(self.caller.workspace_id, codebase_id, query)


class SyncSessions(_OfCodebase):
    @operation(Scope.SESSIONS_WRITE, Scope.WORKER, answers=answers.Synced)
    def post(self, codebase_id: str, body: SessionsBody) -> Answer:
        """Note the sessions that a worker has; the same ones again change nothing."""
        sessions = reading.sessions(body.sessions)
        return _synced(self.sync(codebase_id, body, sessions), "sessions")


class OneSession(_OfCodebase):
    @operation(Scope.SESSIONS_READ, answers=answers.Session)
    def get(self, codebase_id: str, session_id: str) -> Answer:
        """Show a session."""
        return session_facts(self.session(codebase_id, session_id))


class Messages(_OfCodebase):
    @operation(Scope.SESSIONS_READ, answers=answers.MessagePage)
    def get(self, codebase_id: str, session_id: str, query: Page) -> Answer:
        """List a session's messages with their parts, oldest first."""
        return page_of(messages_of(self.session(codebase_id, session_id)), query, "messages", message_facts)


class MessagesOfCodebase(_OfCodebase):
    @operation(Scope.SESSIONS_READ, answers=answers.MessagePage)
    def get(self, codebase_id: str, query: SessionMessagesQuery) -> Answer:
        """The same, with the session named in the query."""
        found = messages_of(self.session(codebase_id, query.session_id))
        return page_of(found, query, "messages", message_facts)


class SyncMessages(_OfCodebase):
    @operation(Scope.SESSIONS_WRITE, Scope.WORKER, answers=answers.Synced)
    def post(self, codebase_id: str, session_id: str, body: MessagesBody) -> Answer:
        """Note messages of a session that has been synced; a message that comes again replaces itself."""
        messages = reading.messages(body.messages)
        return _synced(messages_sync(session=self.session(codebase_id, session_id), messages=messages), "messages")


class Ingest(_OfCodebase):
    @operation(Scope.SESSIONS_WRITE, Scope.WORKER, answers=answers.Synced)
    def post(self, codebase_id: str, session_id: str, body: IngestBody) -> Answer:
        """Note a session and its messages in one call, from any program."""
        sessions = reading.sessions([{**body.session, "id": session_id}])
        messages = reading.messages(body.messages)
        self.sync(codebase_id, body, sessions)
        return _synced(messages_sync(session=self.session(codebase_id, session_id), messages=messages), "messages")


class Resume(_OfCodebase):
    @operation(Scope.TASKS_WRITE, answers=answers.Started)
    def post(self, codebase_id: str, session_id: str, body: ResumeBody) -> Answer:
        """Go on with a session: a task with the prompt, for a worker of the codebase."""
        session = self.session(codebase_id, session_id)
        return self.begun(session_resume, session, body, "A new task goes on with the session.")


class Fork(_OfCodebase):
    @operation(Scope.TASKS_WRITE, answers=answers.Started)
    def post(self, codebase_id: str, session_id: str, body: ForkBody) -> Answer:
        """Begin a session with the history of this one, which stays as it is: a task with the prompt.

        The answer's `session_id` is the old one; the task has the new one's as soon as its worker has opened it.
        """
        session, told = self.session(codebase_id, session_id), "A new task begins with the session's history."
        return self.begun(session_fork, session, body, told, body.title)


class StoredSessions(Endpoint):
    @operation(Scope.SESSIONS_READ, answers=answers.StoredSessionPage)
    def get(self, query: SessionsQuery) -> Answer:
        """All sessions of the workspace that the database holds; with `q` those that hold these words, best first."""
        return {**_sessions(self.caller.workspace_id, "", query), "source": "postgresql"}


def _sessions(workspace_id: uuid.UUID, codebase_id: str, query: SessionsQuery) -> dict[str, Any]:
    if not query.q:
        return page_of(sessions_of(workspace_id, codebase_id), query, "sessions", session_facts)
    found, total = sessions_search(
        workspace_id, query.q, codebase_id=codebase_id, limit=query.limit, offset=query.offset
    )
    return {"sessions": found, "total": total, "limit": query.limit, "offset": query.offset}


def _synced(count: int, things: str) -> dict[str, Any]:
    return {"success": True, "synced": count, "message": f"Synced {count} {things}."}
