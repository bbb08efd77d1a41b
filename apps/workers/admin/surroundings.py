"""What the heart's pages ask about workers."""

import uuid
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef
from django.db.models.expressions import Combinable
from django.urls import reverse

from apps.codebases.models import Codebase
from apps.tasks.admin.surroundings import Machine
from apps.tasks.selectors import running_by_worker
from apps.workers.admin.presence import TONES, presence
from apps.workers.load import Load
from apps.workers.models import Worker
from apps.workers.selectors import here, serving, workers_of
from apps.workers.waiting import Reason, why_each_waits

if TYPE_CHECKING:
    from apps.tasks.models import Task

SHOWN = 20


def worker_names(workspace_ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, str, str]]:
    """(workspace, worker id, name) of the workers of some workspaces, by name."""
    rows = Worker.objects.filter(workspace_id__in=workspace_ids).order_by("name", "worker_id")
    return list(rows.values_list("workspace_id", "worker_id", "name"))


class Machines:
    """What the pages of codebases ask (apps.tasks.admin.surroundings)."""

    def is_served(self) -> Combinable:
        there = Worker.objects.filter(here(), serving(OuterRef("pk"), OuterRef("worker_id")))
        return Exists(there.filter(workspace_id=OuterRef("workspace_id"), draining=False, stopping=False))

    def machines(self, codebase: Codebase) -> list[Machine]:
        """The connected ones first."""
        found = workers_of(codebase.workspace_id).filter(serving(codebase.pk, codebase.worker_id))
        shown = [one for one in found if one.is_here or one.worker_id == codebase.worker_id][:SHOWN]
        busy = running_by_worker(codebase.workspace_id) if shown else {}
        loads = [Load(one, busy.get(one.worker_id, 0), one.concurrency) for one in shown]
        return [_machine(load) for load in sorted(loads, key=lambda load: not load.worker.is_here)]

    def why_each_waits(self, tasks: "Collection[Task]") -> Mapping[uuid.UUID, Reason]:
        return why_each_waits(tasks)


def _machine(load: Load) -> Machine:
    worker, word = load.worker, presence(load.worker)
    return Machine(
        name=worker.name,
        url=reverse("admin:workers_worker_change", args=[worker.pk]),
        word=word,
        tone=TONES[word],
        busy=load.busy,
        most=load.most,
        share=load.share,
        programs=[program["name"] for program in worker.programs],
        models=[model["id"] for model in worker.offered_models],
        takes_work=word == "online",
    )
