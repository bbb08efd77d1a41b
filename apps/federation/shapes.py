"""The shape of a remote agent as clients see it: what `remote_agent_facts` holds, and every face's schema."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class RemoteAgent(BaseModel):
    """`auth` says how we show who we are (none, bearer, header); what we show is in no answer."""

    name: str
    card_url: str
    enabled: bool
    description: str
    version: str
    skills: list[dict[str, str]]
    endpoint_url: str
    binding: str
    protocol_version: str
    signature: str
    require_signature: bool
    jwks_url: str | None
    auth: str
    api_key_header: str | None
    metadata: dict[str, Any]
    card: dict[str, Any]
    fetched_at: datetime | None
    last_used_at: datetime | None
    last_error: str | None
    created_by: str
    created_at: datetime
