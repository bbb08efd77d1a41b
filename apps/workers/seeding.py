"""A made-up installation: workspaces, codebases, workers, and the tasks and sessions that belong to them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from apps.accounts.models import Workspace
from apps.codebases.models import Codebase
from apps.sessions.seeding import SeedSession, sessions_seed
from apps.tasks.services.seeding import MODELS, SeedPlace, tasks_seed
from apps.workers.models import Worker

Telling = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Shop:
    """A made-up workspace: slug, name, its codebases with their workers, and its share of all tasks."""

    slug: str
    name: str
    codebases: tuple[tuple[str, str], ...]
    share: int


SHOPS = (
    Shop(Workspace.DEFAULT_SLUG, "Default", (
        ("shop", "workshop"), ("till-firmware", "workshop"), ("website", "attic"), ("warehouse", "attic"),
        ("mobile-app", "cellar"), ("handbook", "cellar"),
    ), 4),
    Shop("atelier", "Atelier", (("looms", "loom-room"), ("catalogue", "loom-room")), 2),
    Shop("harbour", "Harbour", (("timetable", "lighthouse"),), 1),
)  # fmt: skip
ROLES = (("code-reviewer", "Reads changes and says what is wrong with them."),
         ("builder", "Writes code and its tests."), ("explorer", "Finds out how things hang together."))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seeded:
    """How much was made."""

    tasks: int
    sessions: int
    messages: int


def demo_seed(*, tasks: int, seed: int, told: Telling | None = None) -> Seeded:
    """Fill the database with `tasks` made-up tasks and what belongs to them. Meant for databases that serve nobody."""
    with transaction.atomic():
        places = [place for shop in SHOPS for place in _places(shop)]
    worked = tasks_seed(places=places, number=tasks, seed=seed, told=told)
    sessions = [
        SeedSession(
            workspace_id=one.workspace_id,
            codebase_id=one.codebase_id,
            session_id=one.session_id,
            title=one.title,
            worker_id=one.worker_id,
            created_at=one.created_at,
        )
        for one in worked
    ]
    return Seeded(tasks, len(sessions), sessions_seed(sessions=sessions, models=MODELS, seed=seed))


def _places(shop: Shop) -> list[SeedPlace]:
    """The workspace, its codebases and workers, made where they are missing."""
    workspace, _ = Workspace.objects.get_or_create(slug=shop.slug, defaults={"name": shop.name})
    found = []
    for name, worker in shop.codebases:
        codebase, _ = Codebase.objects.get_or_create(
            workspace=workspace, worker_id=worker, path=f"/code/{name}",
            defaults={"name": name, "status": Codebase.Status.ACTIVE, "description": "Made up by seed_demo."},
        )  # fmt: skip
        found.append(SeedPlace(workspace.id, codebase.id, worker))
    for number, worker in enumerate(sorted({worker for _, worker in shop.codebases})):
        _worker(workspace.id, worker, number)
    anywhere = SeedPlace(workspace.id, "", shop.codebases[0][1])
    return [*found * shop.share, anywhere]


def _worker(workspace_id: uuid.UUID, name: str, number: int) -> None:
    role, described = ROLES[number % len(ROLES)]
    said = {
        "name": name, "hostname": f"{name}.example", "version": "0.0.9" if number else settings.VERSION,
        "capabilities": ["opencode", "claude"],
        "programs": [{"name": "opencode", "version": "1.0.0", "models": MODELS},
                     {"name": "claude", "version": "2.0.0", "models": MODELS[:1]}],
        "offered_models": [{"id": model, "name": model, "provider": model.partition("/")[0]} for model in MODELS],
        "agents": [{"role": role, "instance": f"{role}:{name}:1", "description": described}],
        "global_codebase_id": "global", "concurrency": 12, "last_seen_at": Now(), "unregistered_at": None,
    }  # fmt: skip
    Worker.objects.update_or_create(workspace_id=workspace_id, worker_id=name, defaults=said)
