"""What a client asks for when it wants to be told of a task's changes."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PushWish:
    """A push notification config as it was read. `version` is the one in which it was made, and will be told;
    `named` is how the request named the address. Its secrets are no part of its text form."""

    config_id: str
    url: str
    token: str = field(repr=False)
    scheme: str
    credentials: str = field(repr=False)
    version: str
    named: str = "url"
