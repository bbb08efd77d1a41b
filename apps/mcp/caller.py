"""Who calls the tool that is running, for whose workspace its statements are made, and where they reach us."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from apps.accounts.principals import Credentials, Principal, acts_as


class Calling(NamedTuple):
    principal: Principal
    base_url: str
    credentials: Credentials | None


_calling: contextvars.ContextVar[Calling] = contextvars.ContextVar("mcp_calling")


def principal() -> Principal:
    """The authenticated caller of the call under way; LookupError outside of one."""
    return _calling.get().principal


def base_url() -> str:
    """Where this caller reaches our other faces; LookupError outside of a call."""
    return _calling.get().base_url


def credentials() -> Credentials | None:
    """What this caller has brought; None where that is not to be asked for again."""
    return _calling.get().credentials


@contextmanager
def calling(caller: Principal, base_url: str, credentials: Credentials | None = None) -> Iterator[None]:
    """Within the block this context acts for that caller's workspace, and tools learn who it is."""
    acts_as(caller)
    before = _calling.set(Calling(caller, base_url, credentials))
    try:
        yield
    finally:
        _calling.reset(before)
