"""The page of one worker: how it is, what it holds and has done, and what it offers."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.console_live import LivePage
from apps.accounts.models import ApiToken
from apps.accounts.permissions import Scope
from apps.accounts.tiles import Tile
from apps.codebases.selectors import codebases_of
from apps.core.spending import spending
from apps.tasks.admin.lines import lines
from apps.tasks.selectors import GLOBAL_QUEUE, day_of_worker, ended_of_worker, held_of_worker, last_words, limits_of
from apps.workers.admin.presence import TONES, is_older, presence
from apps.workers.admin.speaking import Speaking, listeners
from apps.workers.admin.workers import asking_and_busy
from apps.workers.load import Load
from apps.workers.models import Worker
from apps.workers.selectors import queues_of

HELD_SHOWN = 50
ENDED_SHOWN = 10
CODEBASES_SHOWN = 100


@admin.register(Worker)
class WorkerAdmin(Speaking, LivePage):
    change_form_template = "admin/workers/worker/change_form.html"
    pieces_template = "admin/workers/worker/live.html"

    def shown(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        place = (row.workspace_id, row.worker_id)
        held, word = held_of_worker(*place, HELD_SHOWN), presence(row)
        limit = limits_of(row.workspace_id).filter(kind="worker", key=row.worker_id).first()
        asking, busy = asking_and_busy(row)
        load = Load(row, busy, row.concurrency)
        return {
            "worker": row,
            "presence": word,
            "tone": TONES[word],
            "load": load,
            "held_in_all": asking + busy,
            "limit": limit,
            "tiles": _tiles(row, load, asking),
            "held": lines(held, said=last_words([task.pk for task in held])),
            "ended": lines(ended_of_worker(*place, ENDED_SHOWN)),
            "is_older": is_older(row.version),
            "server_version": settings.VERSION,
            "found_for": settings.A2A_AGENT_DISCOVERY_MAX_AGE,
            "tasks_url": reverse("admin:tasks_task_changelist", query={"worker": row.worker_id}),
        }

    def beside(self, request: HttpRequest, row: Any, shown: Mapping[str, Any]) -> dict[str, Any]:
        queues, may_see = queues_of(row), self.allows(request, Scope.ADMIN, row)
        return {
            "may_steer": self.has_steer_permission(request, row),
            "listeners": listeners(row),
            "codebases": codebases_of(row.workspace_id).filter(pk__in=queues).order_by("name")[:CODEBASES_SHOWN],
            "serves_global": GLOBAL_QUEUE in queues,
            "token": ApiToken.objects.filter(pk=row.token_id).first() if may_see and row.token_id else None,
        }


def _tiles(worker: Any, load: Load, asking: int) -> list[Tile]:
    day = day_of_worker(worker.workspace_id, worker.worker_id)
    tasks = reverse("admin:tasks_task_changelist", query={"worker": worker.worker_id})
    at_work = f"{load.busy} of {load.most}" if load.most else load.busy
    tokens = spending({"input_tokens": day.input_tokens, "output_tokens": day.output_tokens})
    return [
        Tile("At work", at_work, f"{tasks}&state=running", "info" if load.busy else ""),
        Tile("Need input", asking, f"{tasks}&needs=person", "warning" if asking else ""),
        Tile("Completed", day.completed, f"{tasks}&state=completed", "", "in 24 hours"),
        Tile("Failed", day.failed, f"{tasks}&state=failed", "danger" if day.failed else "", "in 24 hours"),
        Tile("Cost, 24 hours", f"${day.cost_usd:,.2f}", "", "", tokens),
    ]
