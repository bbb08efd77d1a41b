"""Where the request that is being served came from: for the audit trail and limits, which have no request at hand."""

import contextvars
from typing import NamedTuple


class Caller(NamedTuple):
    """The address of the client (behind proxies, as they tell it) and the request's id; empty outside of requests."""

    address: str = ""
    request_id: str = ""


NO_CALLER = Caller()
_caller: contextvars.ContextVar[Caller] = contextvars.ContextVar("caller", default=NO_CALLER)


def caller() -> Caller:
    """Of the request that this context serves."""
    return _caller.get()


def calls(address: str, request_id: str) -> None:
    """From here on this context serves that caller."""
    _caller.set(Caller(address, request_id))
