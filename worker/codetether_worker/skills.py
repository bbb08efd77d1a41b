"""What this worker's agent can do, as A2A's cards say it: one skill for each program that it works with."""

from __future__ import annotations

from typing import Any

from codetether_worker.discovery import Installed, Inventory

_BUILTIN = {
    "id": "builtin",
    "name": "Answer without a model",
    "description": "Calculates exactly, describes a codebase, and says how to connect a coding agent.",
    "tags": ["arithmetic", "codebases"],
    "examples": ["Calculate 25 * 4", "Analyze this codebase"],
}
_MODELS_NAMED = 20


def skills_of(inventory: Inventory) -> list[dict[str, Any]]:
    """The skills of `worker registration.agents`; ids are the names of the programs, as `metadata.agent` takes them."""
    return [*(_skill(program) for program in inventory.installed), _BUILTIN]


def _skill(program: Installed) -> dict[str, Any]:
    version = f" {program.version}" if program.version else ""
    models = ", ".join(model.id for model in program.models[:_MODELS_NAMED])
    named = f", by the models {models}" if models else ""
    return {
        "id": program.name,
        "name": f"Work with {program.name}",
        "description": f"Reads, changes and tests code with {program.name}{version}{named}.",
        "tags": ["coding", *sorted({model.id.partition("/")[0] for model in program.models})],
        "examples": ["Fix the failing tests", "Explain how this repository is built"],
    }
