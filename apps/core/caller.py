"""Where the request that is being served came from, and who makes it: for the audit trail and limits, which have no
request at hand.

One object a request, which its threads share: authentication, wherever it happens, says there who was found.
"""

import contextvars
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.core.limits import Standing


@dataclass(slots=True)
class Caller:
    """The address of the client (behind proxies, as they tell it) and the request's id; empty outside of requests."""

    address: str = ""
    request_id: str = ""
    name: str = ""
    """As the log and the trail show it; empty until it is known who asks."""
    identity: str = ""
    """Which one of that name: `user:ID`, `token:ID`, or empty for a token of the settings."""
    workspace_id: uuid.UUID | None = None
    brought: str = ""
    """The digest of credentials that opened nothing."""
    standings: "list[Standing]" = field(default_factory=list)
    """Where the caller stands under the limits by which this call was counted."""


_caller: contextvars.ContextVar[Caller | None] = contextvars.ContextVar("caller", default=None)


def caller() -> Caller:
    """Of the request that this context serves; what is written to that of no request is lost."""
    return _caller.get() or Caller()


def calls(address: str, request_id: str) -> None:
    """From here on this context serves that caller."""
    _caller.set(Caller(address, request_id))
