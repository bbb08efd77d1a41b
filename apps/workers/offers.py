"""What connected workers offer: agent programs, models, and agents to be found by others."""

import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from apps.workers.models import Worker
from apps.workers.selectors import AGENT_CARD_PATH, connected_workers


def offered_models(workspace_id: uuid.UUID) -> list[dict[str, Any]]:
    """The models that connected workers say they can run, each once, with how many offer it, by which programs."""
    found: dict[str, dict[str, Any]] = {}
    for worker in connected_workers(workspace_id):
        for model in worker.offered_models:
            entry = found.setdefault(model["id"], {**model, "workers_available": 0, "programs": []})
            entry["workers_available"] += 1
            entry["programs"] = sorted({*entry["programs"], *_programs_with(worker, model["id"])})
    return [found[name] for name in sorted(found)]


def _programs_with(worker: Worker, model: str) -> list[str]:
    return [program["name"] for program in worker.programs if model in program["models"]]


def offered_programs(workers: Iterable[Worker]) -> list[dict[str, Any]]:
    """The agent programs of `workers` by name: on how many, in which versions, and for how many models."""
    found: dict[str, list[dict[str, Any]]] = {}
    for worker in workers:
        for program in worker.programs:
            found.setdefault(program["name"], []).append(program)
    return [
        {
            "name": name,
            "versions": sorted({one["version"] for one in programs if one["version"]}),
            "workers_available": len(programs),
            "models": sorted({model for one in programs for model in one["models"]}),
        }
        for name, programs in sorted(found.items())
    ]


def discoverable_agents(workspace_id: uuid.UUID) -> list[dict[str, Any]]:
    """The agents of connected workers (contract: GET /v1/agents)."""
    return [
        {
            "name": agent["instance"],
            "role": agent["role"],
            "description": agent.get("description", ""),
            "skills": agent.get("skills", []),
            "card": AGENT_CARD_PATH.format(role=quote(agent["role"], safe="")),
            "worker_id": worker.worker_id,
            "models": [model["id"] for model in worker.offered_models],
            "last_seen": worker.last_seen_at,
        }
        for worker in connected_workers(workspace_id)
        for agent in worker.agents
    ]
