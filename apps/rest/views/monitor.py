"""The monitor over REST: who does what, what was said, and speaking to anybody."""

from typing import Any

from apps.accounts.permissions import Scope
from apps.codebases.selectors import codebases_of
from apps.rest import answers
from apps.rest.bodies_monitor import InterventionBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import Page
from apps.rest.queries_monitor import SaidQuery, SoughtQuery
from apps.sessions.said import messages_count, messages_named, messages_said, said_facts
from apps.sessions.search import messages_search
from apps.sessions.selectors import sessions_of
from apps.tasks.selectors import queue_counts
from apps.workers.monitor import agent_message, agents_watched, workers_of_agent
from apps.workers.selectors import connected_machines, worker_facts, workers_of


class WatchedAgents(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.WatchedAgents)
    def get(self) -> Answer:
        """The agents of connected workers, and what they work on."""
        agents = agents_watched(self.caller.workspace_id)
        return {"agents": agents, "total": len(agents)}


class WatchedWorkers(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.WorkerPage)
    def get(self, query: Page) -> Answer:
        """The workers that have registered, and whether they are here."""
        return page_of(workers_of(self.caller.workspace_id), query, "workers", worker_facts)


class Said(Endpoint):
    @operation(Scope.SESSIONS_READ, answers=answers.SaidPage)
    def get(self, query: SaidQuery) -> Answer:
        """What was said in sessions, newest first; of one conversation, or of one agent."""
        found = messages_said(
            self.caller.workspace_id, conversation_id=query.conversation_id, agents=self._names(query.agent_id)
        )
        shown = [said_facts(entry) for entry in found[query.offset : query.offset + query.limit]]
        return {"messages": shown, "limit": query.limit, "offset": query.offset}

    def _names(self, agent_id: str) -> list[str]:
        if not agent_id:
            return []
        return [agent_id, *(worker.worker_id for worker in workers_of_agent(self.caller.workspace_id, agent_id))]


class Sought(Endpoint):
    @operation(Scope.SESSIONS_READ, answers=answers.SoughtPage)
    def get(self, query: SoughtQuery) -> Answer:
        """Messages that hold the words of `q`, best first, each with a snippet."""
        hits, total = messages_search(self.caller.workspace_id, query.q, limit=query.limit, offset=query.offset)
        entries = messages_named(self.caller.workspace_id, [hit.message_id for hit in hits])
        shown = [
            {**said_facts(entries[hit.message_id]), "rank": hit.rank, "snippet": hit.snippet}
            for hit in hits
            if hit.message_id in entries
        ]
        return {"messages": shown, "total": total, "limit": query.limit, "offset": query.offset}


class SaidCount(Endpoint):
    @operation(Scope.SESSIONS_READ, answers=answers.Count)
    def get(self) -> Answer:
        """How many messages all sessions have."""
        return {"count": messages_count(self.caller.workspace_id)}


class Stats(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.Stats)
    def get(self) -> Answer:
        """How much there is of everything."""
        workspace_id = self.caller.workspace_id
        counts: dict[str, Any] = queue_counts(workspace_id)
        return {
            "tasks": counts,
            "total_tasks": sum(counts.values()),
            "workers_connected": len(connected_machines(workspace_id)),
            "codebases": codebases_of(workspace_id).count(),
            "sessions": sessions_of(workspace_id).count(),
            "messages": messages_count(workspace_id),
        }


class Intervene(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.Intervened)
    def post(self, body: InterventionBody) -> Answer:
        """Say something to a task, a codebase's agent, an agent (role or instance) or a worker's agents."""
        caller = self.caller
        tasks = agent_message(
            workspace_id=caller.workspace_id, agent_id=body.agent_id, message=body.message, by=caller.name
        )
        ids = [str(task.id) for task in tasks]
        return {"success": True, "message": f"In the log of {len(ids)} tasks.", "task_id": ids[0], "task_ids": ids}
