"""Agent cards: what this server is and where its bindings are, for clients of A2A 0.3 and 1.0 alike.

- The public card tells nothing of any workspace.
- The extended one, for callers with a token, adds what is connected in the caller's workspace.
- Each role has a card of its own, whose address leads to that agent alone.

How they travel over HTTP is in `apps/a2a/card_pages.py`, their signatures in `apps/a2a/signing.py`.
"""

import copy
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3.types import AgentCard as OldCard
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    AgentExtension,
    AgentProvider,
    AgentSkill,
    HTTPAuthSecurityScheme,
    OpenIdConnectSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
)
from a2a.utils.constants import PROTOCOL_VERSION_0_3
from django.conf import settings
from google.protobuf.json_format import MessageToDict

from apps.a2a.addresses import interfaces, is_certain
from apps.a2a.card_skills import GENERAL, INPUT_MODES, MODELS_LIMIT, OUTPUT_MODES, TEXT_LIMIT, offer_of, own_skills
from apps.a2a.signing import signed
from apps.a2a.wishes import NAMES
from apps.accounts.oidc.provider import WELL_KNOWN, provider
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.extension import EXTENSION
from apps.workers.roles import role_get

Json = dict[str, Any]

OLD_VERSION = "0.3.0"
"""As 0.3 spells itself on a card (0.3 §5.5.1)."""
AWAY = "It is not connected now; what is sent waits until it is."


def public_card(base_url: str) -> Json:
    """The card for everybody."""
    return _spelled(_card(base_url, [GENERAL]))


def workspace_card(workspace_id: uuid.UUID, base_url: str) -> Json:
    """The card with what is connected in the workspace."""
    offer = offer_of(workspace_id)
    card = _card(base_url, offer.skills, offer.models)
    if offer.more:
        card.description += f" ({offer.more} more skills have no room on this card.)"
    return _spelled(card)


def role_card(workspace_id: uuid.UUID, base_url: str, role: str) -> Json:
    """The card of a role's agent; NotFoundError where the workspace never had one."""
    found = role_get(workspace_id, role)
    card = _card(base_url, own_skills(found), sorted(found.models)[:MODELS_LIMIT], role=role)
    described = found.description[:TEXT_LIMIT] or f"The agent {role}."
    card.name, card.description = role, described if found.connected else f"{described} {AWAY}"
    return _spelled(card)


async def extended_card(principal: Principal, base_url: str, role: str = "") -> Json:
    """The card for a caller of a workspace: of all its agents, or of a role's; signed where we may."""
    return await in_database(_for_caller, principal.workspace_id, base_url, role)


def _for_caller(workspace_id: uuid.UUID, base_url: str, role: str) -> Json:
    card = role_card(workspace_id, base_url, role) if role else workspace_card(workspace_id, base_url)
    return signed_where_certain(card, base_url)


def signed_where_certain(card: Json, base_url: str) -> Json:
    """The card with its signatures; without, where only the client says that the address is ours."""
    return signed(card, base_url) if is_certain(base_url) else card


def only(card: Json, version: str) -> Json:
    """A card with the fields of one version alone; signatures stay good for that version's verifiers."""
    if version == PROTOCOL_VERSION_0_3:
        known: Json = OldCard.model_validate(card).model_dump(mode="json", by_alias=True, exclude_none=True)
    else:
        known = MessageToDict(parse_agent_card(copy.deepcopy(card)))
    return known


def _card(base_url: str, skills: Iterable[AgentSkill], models: Iterable[str] = (), role: str = "") -> AgentCard:
    card = AgentCard(
        name=settings.A2A_AGENT_NAME,
        description=settings.A2A_AGENT_DESCRIPTION,
        version=settings.VERSION,
        provider=AgentProvider(organization=settings.A2A_AGENT_ORG, url=settings.A2A_AGENT_ORG_URL),
        supported_interfaces=interfaces(base_url, role),
        capabilities=AgentCapabilities(
            streaming=True, push_notifications=True, extended_agent_card=True, extensions=[_extension(models)]
        ),
        default_input_modes=INPUT_MODES,
        default_output_modes=OUTPUT_MODES,
        skills=skills,
    )
    for name, scheme in _security_schemes():
        card.security_schemes[name].CopyFrom(scheme)
        card.security_requirements.append(SecurityRequirement(schemes={name: StringList()}))
    return card


def _extension(models: Iterable[str]) -> AgentExtension:
    """Ours, with what a program needs to use it: the words of a message's metadata, and the models there are."""
    extension = AgentExtension(
        uri=EXTENSION, description="Where a task runs, as what, why it waits, and what it used; and how to say where."
    )
    params = {"metadata": list(NAMES), "models": list(models)}
    extension.params.update({name: value for name, value in params.items() if value})
    return extension


def _security_schemes() -> Iterator[tuple[str, SecurityScheme]]:
    """What is really accepted (`apps/accounts/principals.py`); any one of them is enough."""
    if settings.A2A_AUTH_ENABLED:
        bearer = HTTPAuthSecurityScheme(scheme="bearer", description="A token of CodeTether.")
        yield "bearer", SecurityScheme(http_auth_security_scheme=bearer)
        if (found := provider()) is not None:
            url = found.settings.issuer.rstrip("/") + WELL_KNOWN
            oidc = OpenIdConnectSecurityScheme(
                open_id_connect_url=url, description=f"A token of {found.settings.name}."
            )
            yield "oidc", SecurityScheme(open_id_connect_security_scheme=oidc)


def _spelled(card: AgentCard) -> Json:
    """The card in 1.0's words and 0.3's at once (the SDK merges them), with what 0.3 says and the SDK does not."""
    # only cards need the SDK's server half, which loads a whole database toolkit where one is installed
    from a2a.server.request_handlers.response_helpers import agent_card_to_dict  # noqa: PLC0415

    merged = agent_card_to_dict(card)
    first = {"url": merged["url"], "transport": merged["preferredTransport"]}
    merged["protocolVersion"] = OLD_VERSION
    merged["additionalInterfaces"] = [first, *merged["additionalInterfaces"]]
    merged["capabilities"]["stateTransitionHistory"] = False
    return merged
