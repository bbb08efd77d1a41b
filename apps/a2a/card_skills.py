"""The skills on the cards: what a client can ask for, made of what is connected in its workspace.

A skill is for people and models to read: its description says by which words in a message's metadata it is asked
for. Ids carry their kind (`agent:reviewer`, `codebase:…`), so that no role can take the place of another skill.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from a2a.types import AgentSkill

from apps.codebases.selectors import codebases_of
from apps.workers.offers import offered_models
from apps.workers.roles import AgentRole, connected_roles
from apps.workers.selectors import connected_workers

if TYPE_CHECKING:
    from apps.codebases.models import Codebase

INPUT_MODES = ["text/plain", "application/json", "*/*"]
"""Text, data, and files of any kind."""
OUTPUT_MODES = ["text/plain", "application/json", "application/octet-stream"]
"""As above: what agents make may be any of these."""
SKILLS_LIMIT = 200
MODELS_LIMIT = 200
TEXT_LIMIT = 2_000
"""Characters of a description that somebody else wrote."""

GENERAL = AgentSkill(
    id="delegate",
    name="Delegate work to a coding agent",
    description=(
        "Takes a task in plain words and hands it to a coding agent on a machine that holds the code. Message metadata "
        "may say where and how: codebase_id, agent_type, model, priority, target_agent, deadline_seconds, "
        "concurrency_key."
    ),
    tags=["coding", "delegation", "automation"],
    examples=["Calculate 25 * 4", "Analyze this codebase", "Add unit tests for the auth module"],
    input_modes=INPUT_MODES,
    output_modes=OUTPUT_MODES,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is connected in a workspace, as far as a card has room for it; `more` is how many skills it had none for."""

    skills: Sequence[AgentSkill]
    models: Sequence[str] = field(default=())
    more: int = 0


def offer_of(workspace_id: uuid.UUID) -> Offer:
    """The offer of a workspace, in an order that does not depend on who came first."""
    models = [model["id"] for model in offered_models(workspace_id)]
    roles, codebases = connected_roles(workspace_id), connected_codebases(workspace_id)
    skills = _skills(models, roles, codebases)
    taken = list(islice(skills, SKILLS_LIMIT))
    return Offer(taken, models[:MODELS_LIMIT], sum(1 for _ in skills))


def connected_codebases(workspace_id: uuid.UUID) -> list["Codebase"]:
    """The codebases that a connected worker has, by name."""
    workers = connected_workers(workspace_id)
    names = {worker.worker_id for worker in workers}
    served = {codebase_id for worker in workers for codebase_id in worker.codebases}
    known = codebases_of(workspace_id).order_by("name", "id")
    return [codebase for codebase in known if codebase.worker_id in names or codebase.id in served]


def _skills(models: Sequence[str], roles: Sequence[AgentRole], codebases: Sequence["Codebase"]) -> Iterator[AgentSkill]:
    yield GENERAL
    if models:
        yield _models_skill(models)
    yield from (role_skill(role) for role in roles)
    yield from (_codebase_skill(codebase) for codebase in codebases)


def role_skill(role: AgentRole) -> AgentSkill:
    """The agent of a role, as one skill among those of all."""
    described = role.description or f"The agent {role.role}."
    examples = [example for skill in role.skills for example in skill["examples"]]
    return _skill(
        f"agent:{role.role}",
        role.role,
        f"{described[:TEXT_LIMIT]} Ask for it by metadata target_agent: {role.role}",
        ["agent", *role.tags, *(tag for skill in role.skills for tag in skill["tags"])],
        examples[:5] or [f"Have {role.role} look at the newest change"],
    )


def own_skills(role: AgentRole) -> list[AgentSkill]:
    """What the agent of a role can do, as its workers say it; one skill of its name where they say nothing."""
    described = role.description[:TEXT_LIMIT] or f"What the agent {role.role} does."
    said = [
        _skill(one["id"], one["name"], one["description"] or one["name"], one["tags"] or ["agent"], one["examples"])
        for one in role.skills
    ]
    return said[:SKILLS_LIMIT] or [_skill(role.role, role.role, described, ["agent", *role.tags], [])]


def _models_skill(models: Sequence[str]) -> AgentSkill:
    named = ", ".join(models[:MODELS_LIMIT])
    return _skill(
        "models",
        "Choose the model",
        f"Message metadata model: one of {named}",
        ["models", *sorted({model.partition("/")[0] for model in models})],
        [f"Explain this repository (metadata model: {models[0]})"],
    )


def _codebase_skill(codebase: "Codebase") -> AgentSkill:
    described = f"{codebase.description[:TEXT_LIMIT]} " if codebase.description else ""
    return _skill(
        f"codebase:{codebase.id}",
        f"Work on {codebase.name}",
        f"{described}Work on this codebase: metadata codebase_id: {codebase.id}",
        ["codebase"],
        [f"Explain how {codebase.name} is built", f"Fix the failing tests of {codebase.name}"],
    )


def _skill(skill_id: str, name: str, description: str, tags: Sequence[str], examples: Sequence[str]) -> AgentSkill:
    return AgentSkill(
        id=skill_id,
        name=name,
        description=description,
        tags=list(dict.fromkeys(tags)),
        examples=examples,
        input_modes=INPUT_MODES,
        output_modes=OUTPUT_MODES,
    )
