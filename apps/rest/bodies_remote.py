"""The bodies that tell of remote agents."""

from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from apps.rest.reading import Body

Address = Annotated[str, Field(max_length=2048)]
Secret = Annotated[str, Field(max_length=8192)]


class RemoteAgentBody(Body):
    """An agent elsewhere, by its card. Its server is shown `token`, or `api_key` in the header `api_key_header`."""

    card_url: Annotated[str, Field(min_length=1, max_length=2048)]
    name: Annotated[str, Field(max_length=128)] = ""
    token: Secret = ""
    api_key: Secret = ""
    api_key_header: Annotated[str, Field(max_length=100)] = "X-API-Key"
    require_signature: bool = False
    jwks_url: Address = ""
    metadata: dict[str, Any] = {}
    enabled: bool = True


class RemoteAgentChanges(Body):
    """What is to be another; an empty `token` or `api_key` takes the credentials away."""

    card_url: Address | SkipJsonSchema[None] = None
    token: Secret | SkipJsonSchema[None] = None
    api_key: Secret | SkipJsonSchema[None] = None
    api_key_header: Annotated[str, Field(max_length=100)] = "X-API-Key"
    require_signature: bool | SkipJsonSchema[None] = None
    jwks_url: Address | SkipJsonSchema[None] = None
    metadata: dict[str, Any] | SkipJsonSchema[None] = None
    enabled: bool | SkipJsonSchema[None] = None
