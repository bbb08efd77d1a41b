"""What changes remote agents: they are registered by their card, changed, fetched anew, and removed.

A card is fetched before anything is written, so a refusal leaves everything as it was.
"""

import asyncio
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import IntegrityError
from django.db.models.functions import Now

from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.core.errors import InvalidError
from apps.core.sealing import opened, sealed
from apps.federation.cards import Fetched, Source, card_url_of, fetch_card
from apps.federation.errors import CardRefusedError, RemoteAgentExistsError, refused
from apps.federation.models import RemoteAgent
from apps.federation.selectors import remote_agent_get
from apps.federation.signatures import origin_of

NAME_LIMIT = 128
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
OWN_HEADERS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "a2a-version"})
SECRET_LIMIT = 8_192
METADATA_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What we show the agent's server: nothing, a bearer token, or a key in a header of its choice."""

    auth: str = RemoteAgent.Auth.NONE
    header: str = ""
    secret: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """As the headers of a request."""
        match self.auth:
            case RemoteAgent.Auth.BEARER:
                return {"authorization": f"Bearer {self.secret}"}
            case RemoteAgent.Auth.HEADER:
                return {self.header.lower(): self.secret}
            case _:
                return {}


NO_CREDENTIALS = Credentials()


def bearer(token: str) -> Credentials:
    """Credentials by token; none where it is empty."""
    return Credentials(auth=RemoteAgent.Auth.BEARER, secret=token) if token else NO_CREDENTIALS


def keyed(header: str, key: str) -> Credentials:
    """Credentials by a key in a header; none where the key is empty."""
    return Credentials(auth=RemoteAgent.Auth.HEADER, header=header, secret=key) if key else NO_CREDENTIALS


def credentials_given(*, token: str | None, api_key: str | None, header: str) -> Credentials | None:
    """What a caller says of credentials; None where it says nothing. InvalidError for two at once."""
    if token and api_key:
        message = "Give token or api_key, not both."
        raise InvalidError(message, errors={"token": [message], "api_key": [message]})
    if api_key:
        return keyed(header, api_key)
    return None if token is None and api_key is None else bearer(token or "")


def credentials_of(agent: RemoteAgent) -> Credentials:
    """The kept credentials, opened. For requests to the agent only."""
    return Credentials(auth=agent.auth, header=agent.auth_header, secret=opened(agent, "sealed_secret"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRemoteAgent:
    """What a caller registers. `name` empty: made of the card's name. `message_metadata` goes with every message."""

    card_url: str
    name: str = ""
    credentials: Credentials = NO_CREDENTIALS
    require_signature: bool = False
    jwks_url: str = ""
    message_metadata: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAgentChange:
    """What is to be another; None: as it is."""

    card_url: str | None = None
    credentials: Credentials | None = None
    require_signature: bool | None = None
    jwks_url: str | None = None
    message_metadata: Mapping[str, Any] | None = None
    enabled: bool | None = None

    @property
    def needs_card(self) -> bool:
        """Whether the card must be fetched and judged anew."""
        said = (self.card_url, self.credentials, self.require_signature, self.jwks_url)
        return any(one is not None for one in said)


def remote_agent_register(*, workspace_id: uuid.UUID, new: NewRemoteAgent, by: str) -> RemoteAgent:
    """Fetch the card and note the agent; refused (and nothing stored) where it cannot be fetched, used or trusted."""
    _check(new.name, new.credentials, new.message_metadata)
    source = Source(card_url_of(new.card_url), new.credentials.headers, new.jwks_url, new.require_signature)
    fetched = asyncio.run(fetch_card(source))
    assert fetched is not None  # no etag was given
    agent = RemoteAgent(
        workspace_id=workspace_id,
        name=new.name or name_of(fetched.card.name),
        card_url=source.card_url,
        require_signature=new.require_signature,
        jwks_url=new.jwks_url,
        message_metadata=dict(new.message_metadata),
        enabled=new.enabled,
        created_by=by[:200],
    )
    _take(agent, fetched)
    _keep(agent, new.credentials)
    try:
        with deed(by):
            agent.save(force_insert=True)
            _record(agent, "registered", by=by)
    except IntegrityError as error:
        raise RemoteAgentExistsError(f"There is a remote agent {agent.name} already; choose another name.") from error
    return remote_agent_get(workspace_id=workspace_id, name=agent.name)


def remote_agent_change(*, workspace_id: uuid.UUID, name: str, change: RemoteAgentChange) -> RemoteAgent:
    """Change what is said of an agent. Its card is fetched anew where that matters; a refusal changes nothing."""
    agent = remote_agent_get(workspace_id=workspace_id, name=name)
    _check("", change.credentials or NO_CREDENTIALS, change.message_metadata or {})
    for attribute in ("require_signature", "jwks_url", "enabled"):
        value = getattr(change, attribute)
        if value is not None:
            setattr(agent, attribute, value)
    if change.card_url is not None:
        agent.card_url = card_url_of(change.card_url)
    if change.message_metadata is not None:
        agent.message_metadata = dict(change.message_metadata)
    if change.credentials is not None:
        _keep(agent, change.credentials)
    if change.needs_card:
        _take(agent, asyncio.run(fetch_card(replace(_source(agent), etag=""))))
    said = [name for name in RemoteAgentChange.__dataclass_fields__ if getattr(change, name) is not None]
    with deed():
        agent.save()
        _record(agent, "changed", fields=said)
    return agent


def remote_agent_refresh(*, workspace_id: uuid.UUID, name: str) -> RemoteAgent:
    """Fetch the card anew. Refused, the card that was known stays, and the agent shows why."""
    agent = remote_agent_get(workspace_id=workspace_id, name=name)
    try:
        fetched = asyncio.run(fetch_card(_source(agent)))
        _check_moved(agent, fetched)
    except CardRefusedError as error:
        remote_agent_failed(agent_id=agent.id, error=error.detail)
        raise
    _take(agent, fetched)
    with deed():
        agent.save()
        _record(agent, "refreshed")
    return agent


def remote_agent_remove(*, workspace_id: uuid.UUID, name: str) -> None:
    """Forget an agent and its secret. Tasks that name it wait; those that it works on come to their end."""
    agent = remote_agent_get(workspace_id=workspace_id, name=name)
    with deed():
        agent.delete()
        _record(agent, "removed")


def _record(agent: RemoteAgent, what: str, *, by: str = "", **details: Any) -> None:
    said = {"what": what, "card_url": agent.card_url, **details}
    target = f"remote_agent:{agent.name}"
    record(Action.REMOTE_AGENT_CHANGE, workspace_id=agent.workspace_id, by=by, target=target, details=said)


def remote_agent_failed(*, agent_id: uuid.UUID, error: str) -> None:
    """Note for people what went wrong with an agent last."""
    RemoteAgent.objects.filter(id=agent_id).update(last_error=error[:2000])


def remote_agent_used(*, agent_id: uuid.UUID) -> None:
    """A task was taken to the agent, and it answered."""
    RemoteAgent.objects.filter(id=agent_id).update(last_used_at=Now(), last_error="")


def name_of(card_name: str) -> str:
    """A name that may be one, out of a card's: `Code Reviewer (EU)` is `code-reviewer-eu`."""
    made = re.sub(r"[^a-z0-9._]+", "-", card_name.lower()).strip("-._")[:NAME_LIMIT]
    if not made:
        raise refused("name", "The card's name makes no name here; give one.")
    return made


def _source(agent: RemoteAgent) -> Source:
    headers = credentials_of(agent).headers
    return Source(agent.card_url, headers, agent.jwks_url, agent.require_signature, agent.card_etag)


def _check_moved(agent: RemoteAgent, fetched: Fetched | None) -> None:
    """A secret was given for a server: whoever alters the card must not get it sent to another one."""
    if fetched is None or agent.auth == RemoteAgent.Auth.NONE:
        return
    if origin_of(fetched.interface.url) != origin_of(agent.endpoint_url):
        message = f"The card now names another server, {fetched.interface.url}; give the credentials again to call it."
        raise refused("card_url", message)


def _take(agent: RemoteAgent, fetched: Fetched | None) -> None:
    """What a card says goes into the row; None: it is as it was."""
    agent.fetched_at, agent.last_error = Now(), ""  # the database's clock
    if fetched is None:
        return
    agent.card, agent.card_etag = fetched.raw, fetched.etag
    agent.endpoint_url = fetched.interface.url
    agent.binding = fetched.interface.protocol_binding
    agent.protocol_version = fetched.interface.protocol_version or "0.3"
    agent.signature = fetched.signature


def _keep(agent: RemoteAgent, credentials: Credentials) -> None:
    agent.auth, agent.auth_header = credentials.auth, credentials.header
    agent.sealed_secret = sealed(agent, "sealed_secret", credentials.secret)


def _check(name: str, credentials: Credentials, metadata: Mapping[str, Any]) -> None:
    errors: dict[str, list[str]] = {}
    if name and (not NAME.fullmatch(name) or len(name) > NAME_LIMIT):
        message = f"Give at most {NAME_LIMIT} of A-Z, a-z, 0-9, '.', '_' and '-', a letter or a number first."
        errors["name"] = [message]
    secret_field = "api_key" if credentials.auth == RemoteAgent.Auth.HEADER else "token"
    if not _is_header_value(credentials.secret):
        errors[secret_field] = [f"Give at most {SECRET_LIMIT} printable ASCII characters without blanks around them."]
    if credentials.auth == RemoteAgent.Auth.HEADER and not _is_header_name(credentials.header):
        errors["api_key_header"] = ["Give the name of a header that is not the protocol's own."]
    if len(metadata) > METADATA_LIMIT:
        errors["metadata"] = [f"Give at most {METADATA_LIMIT} fields."]
    if errors:
        raise InvalidError("The agent cannot be registered as asked; see errors.", errors=errors)


def _is_header_value(text: str) -> bool:
    return len(text) <= SECRET_LIMIT and text.isascii() and (not text or text.isprintable()) and text == text.strip()


def _is_header_name(text: str) -> bool:
    return bool(HEADER.fullmatch(text)) and text.lower() not in OWN_HEADERS
