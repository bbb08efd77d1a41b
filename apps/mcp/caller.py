"""Who calls the tool that is running, for whose workspace its statements are made."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

from apps.accounts.principals import Principal, acts_as

_principal: contextvars.ContextVar[Principal] = contextvars.ContextVar("mcp_caller")


def principal() -> Principal:
    """The authenticated caller of the call under way; LookupError outside of one."""
    return _principal.get()


@contextmanager
def calling(caller: Principal) -> Iterator[None]:
    """Within the block this context acts for that caller's workspace, and tools learn who it is."""
    acts_as(caller)
    before = _principal.set(caller)
    try:
        yield
    finally:
        _principal.reset(before)
