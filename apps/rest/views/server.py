"""The server as a whole: whether work can be done, by which models and agents, and what is stored."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.utils import timezone

from apps.accounts.permissions import Scope
from apps.codebases.selectors import codebase_facts, codebases_of
from apps.rest import answers
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import Page
from apps.tasks.selectors import queue_counts, stuck_tasks, task_facts
from apps.tasks.services import Swept, leases_reap, sweep_latest
from apps.workers.offers import discoverable_agents, offered_models, offered_programs
from apps.workers.roles import remote_roles
from apps.workers.selectors import connected_machines, worker_facts, worker_get, workers_of

STALE_SWEEP_SECONDS = 60
"""No sweep for so long, or a lease that ran out longer ago, and something is wrong: it sweeps every few seconds."""


class Status(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.ServerStatus)
    def get(self) -> Answer:
        """Whether agents can work. They run on workers' machines, never here; remote ones are counted apart."""
        connected = connected_machines(self.caller.workspace_id)
        counts = queue_counts(self.caller.workspace_id)
        message = f"{len(connected)} workers are connected." if connected else "No worker is connected; start one."
        return {
            "available": bool(connected),
            "message": message,
            "opencode_binary": None,
            "registered_codebases": codebases_of(self.caller.workspace_id).count(),
            "auto_start": False,
            "runtime": {
                "workers_connected": len(connected),
                "capabilities": sorted({name for worker in connected for name in worker.capabilities}),
                "programs": offered_programs(connected),
                "remote_agents_connected": len(remote_roles(self.caller.workspace_id)),
                "tasks": counts,
            },
        }


class Models(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.Models)
    def get(self) -> Answer:
        """The models that connected workers say they can run."""
        models = offered_models(self.caller.workspace_id)
        return {"models": models, "total": len(models)}


class Providers(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.Providers)
    def get(self) -> Answer:
        """The same models, by provider."""
        by_provider: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for model in offered_models(self.caller.workspace_id):
            by_provider[model["provider"]].append(model)
        providers = [{"id": name, "name": name, "models": models} for name, models in sorted(by_provider.items())]
        return {"providers": providers, "total": len(providers)}


class Agents(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.Agents)
    def get(self) -> Answer:
        """The agents of connected workers; send work to one by its role (`target_agent`)."""
        agents = discoverable_agents(self.caller.workspace_id)
        return {"agents": agents, "total": len(agents)}


class Workers(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.WorkerPage)
    def get(self, query: Page) -> Answer:
        """List the workers that have registered."""
        return page_of(workers_of(self.caller.workspace_id), query, "workers", worker_facts)


class OneWorker(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.Worker)
    def get(self, worker_id: str) -> Answer:
        """Show a worker."""
        return worker_facts(worker_get(workspace_id=self.caller.workspace_id, worker_id=worker_id))


class StuckTasks(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.StuckPage)
    def get(self, query: Page) -> Answer:
        """Tasks whose worker has vanished and that the reaper has not moved yet."""
        return page_of(stuck_tasks(self.caller.workspace_id), query, "stuck_tasks", task_facts)


class RecoverStuckTasks(Endpoint):
    @operation(Scope.TASKS_WRITE, answers=answers.Recovered)
    def post(self) -> Answer:
        """Do now what the reaper does every few seconds; a task whose lease is renewed is never touched."""
        sweep = leases_reap(workspace_id=self.caller.workspace_id)
        return {
            "success": True,
            "message": f"Moved {sweep.total} tasks.",
            "recovered": sweep.requeued + sweep.unheld,
            "requeued": sweep.requeued,
            "failed": sweep.failed,
            "unheld": sweep.unheld,
            "expired": sweep.expired,
        }


class ReaperHealth(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.ReaperHealth)
    def get(self) -> Answer:
        """When the reaper last swept and what it moved, and whether it is late."""
        stuck = stuck_tasks(self.caller.workspace_id)
        oldest = stuck.order_by("lease_expires_at").values_list("lease_expires_at", flat=True).first()
        age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        last = sweep_latest(workspace_id=self.caller.workspace_id)
        status, message = _reapers_state(last, age)
        return {
            "status": status,
            "healthy": status == "healthy",
            "last_sweep_at": last.at if last else None,
            "last_sweep_seconds_ago": round(last.seconds_ago, 1) if last else None,
            "last_sweep_took_seconds": last.took_seconds if last else None,
            "last_sweep_moved": asdict(last.moved) if last else None,
            "stuck_tasks": stuck.count(),
            "oldest_expired_seconds": round(age, 1),
            "lease_seconds": settings.LEASE_SECONDS,
            "message": message,
        }


def _reapers_state(last: Swept | None, oldest_expired_seconds: float) -> tuple[str, str]:
    """(status, message)."""
    if last is None:
        return "late", "No sweep has come to its end yet: do Celery worker and beat run?"
    if last.seconds_ago >= STALE_SWEEP_SECONDS:
        return "late", f"The last sweep was {last.seconds_ago:.0f} s ago: do Celery worker and beat run?"
    if oldest_expired_seconds >= STALE_SWEEP_SECONDS:
        return "stale", "Sweeps come in time, but leave leases that have run out: see the log of the jobs."
    return "healthy", "Leases are swept in time."


class DatabaseStatus(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.DatabaseStatus)
    def get(self) -> Answer:
        """What PostgreSQL holds of this workspace, in counts."""
        workspace_id = self.caller.workspace_id
        total = {
            "codebases": codebases_of(workspace_id).count(),
            "workers": workers_of(workspace_id).count(),
            "tasks": sum(queue_counts(workspace_id).values()),
        }
        return {"available": True, "source": "postgresql", "message": "PostgreSQL answers.", "total": total}


class StoredCodebases(Endpoint):
    @operation(Scope.CODEBASES_READ, answers=answers.StoredCodebasePage)
    def get(self, query: Page) -> Answer:
        """List the codebases that PostgreSQL holds."""
        found = codebases_of(self.caller.workspace_id)
        return {**page_of(found, query, "codebases", codebase_facts), "source": "postgresql"}


class StoredWorkers(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.StoredWorkerPage)
    def get(self, query: Page) -> Answer:
        """List the workers that PostgreSQL holds."""
        found = workers_of(self.caller.workspace_id)
        return {**page_of(found, query, "workers", worker_facts), "source": "postgresql"}
