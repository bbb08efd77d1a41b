"""The agent's card: what this server is and where its bindings are, for clients of A2A 0.3 and 1.0 alike.

The public card tells nothing of any workspace. The extended one, for callers with a token, adds the agents that are
connected in the caller's workspace.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from a2a.server.request_handlers.response_helpers import agent_card_to_dict
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    AgentExtension,
    AgentProvider,
    AgentSkill,
    HTTPAuthSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
)
from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from apps.a2a.addresses import base_url_of, interfaces
from apps.a2a.projection import EXTENSION
from apps.accounts.principals import Principal
from apps.core import jsontext
from apps.core.db import in_database
from apps.workers.selectors import discoverable_agents

CACHE_CONTROL = "public, max-age=300"
MODES = ["text/plain", "application/json"]
STARTED = datetime.now(UTC).replace(microsecond=0)
"""A public card changes only with the settings, so with the process."""

GENERAL_SKILL = AgentSkill(
    id="delegate",
    name="Delegate work to a coding agent",
    description=(
        "Takes a task in plain words and hands it to a coding agent on a machine that holds the code. Message metadata "
        "may say where and how: codebase_id, agent_type, model, priority, target_agent, deadline_seconds, "
        "concurrency_key."
    ),
    tags=["coding", "delegation", "automation"],
    examples=["Calculate 25 * 4", "Analyze this codebase", "Add unit tests for the auth module"],
    input_modes=MODES,
    output_modes=["text/plain"],
)


async def public_card(request: Request) -> Response:
    """The card with its caching headers (A2A 1.0 §8.6); 304 for a client that has it already."""
    body, etag = _public(base_url_of(request))
    headers = {
        "ETag": etag,
        "Cache-Control": CACHE_CONTROL,
        "Last-Modified": format_datetime(STARTED, usegmt=True),
        "Access-Control-Allow-Origin": "*",
    }
    if _has_it(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


async def extended_card(principal: Principal, base_url: str) -> dict[str, Any]:
    """The card for a caller of a workspace."""
    agents = await in_database(discoverable_agents, principal.workspace_id)
    return agent_card_to_dict(_card(base_url, [GENERAL_SKILL, *_skills_of(agents)]))


@lru_cache(maxsize=32)
def _public(base_url: str) -> tuple[bytes, str]:
    body = jsontext.dumps(agent_card_to_dict(_card(base_url, [GENERAL_SKILL])))
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _has_it(if_none_match: str, etag: str) -> bool:
    """Weak comparison (RFC 9110 §13.1.2)."""
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return "*" in known or etag in known


def _card(base_url: str, skills: list[AgentSkill]) -> AgentCard:
    card = AgentCard(
        name=settings.A2A_AGENT_NAME,
        description=settings.A2A_AGENT_DESCRIPTION,
        version=settings.VERSION,
        provider=AgentProvider(organization=settings.A2A_AGENT_ORG, url=settings.A2A_AGENT_ORG_URL),
        supported_interfaces=interfaces(base_url),
        capabilities=AgentCapabilities(
            streaming=True,
            push_notifications=False,
            extended_agent_card=True,
            extensions=[
                AgentExtension(uri=EXTENSION, description="Where a task runs, as what, why it waits, and what it used.")
            ],
        ),
        default_input_modes=MODES,
        default_output_modes=["text/plain"],
        skills=skills,
    )
    if settings.A2A_AUTH_ENABLED:
        scheme = HTTPAuthSecurityScheme(scheme="bearer", description="A token of CodeTether.")
        card.security_schemes["bearer"].CopyFrom(SecurityScheme(http_auth_security_scheme=scheme))
        card.security_requirements.append(SecurityRequirement(schemes={"bearer": StringList()}))
    return card


def _skills_of(agents: Iterable[Mapping[str, Any]]) -> list[AgentSkill]:
    """One skill for each role that is connected: a message's `target_agent` names it."""
    found: dict[str, AgentSkill] = {}
    for agent in agents:
        role = agent["role"]
        found.setdefault(
            role,
            AgentSkill(
                id=role,
                name=role,
                description=agent["description"] or f"The agent {role}; ask for it by metadata target_agent.",
                tags=["agent"],
                input_modes=MODES,
                output_modes=["text/plain"],
            ),
        )
    return list(found.values())
