"""How many streams and WebSockets are open at once: in this process, and of each caller in it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from apps.accounts.principals import Principal
from apps.core.errors import CodeTetherError

AGAIN_SECONDS = 5
_open: Counter[str] = Counter()


class TooManyStreamsError(CodeTetherError):
    """The caller has as many streams open as it may; one of them must end first."""

    status, code = 429, "too_many_streams"


class StreamsFullError(CodeTetherError):
    """This process has no room for another stream; another one may."""

    status, code = 503, "streams_full"


def check_room(principal: Principal | None) -> None:
    """Refuse a stream that would be one too many; None is a caller who is not known yet."""
    if _open.total() >= settings.MAX_STREAMS:
        raise StreamsFullError("This process has as many streams open as it may.", retry_after=AGAIN_SECONDS)
    if principal is not None and _open[_whose(principal)] >= settings.MAX_STREAMS_PER_CALLER:
        raise TooManyStreamsError(
            f"{principal.name} has {settings.MAX_STREAMS_PER_CALLER} streams open: close one.",
            retry_after=AGAIN_SECONDS,
        )


@contextmanager
def one_more(principal: Principal) -> Iterator[None]:
    """A block that is one open stream of the principal's; refused where there is no room for it."""
    check_room(principal)
    whose = _whose(principal)
    _open[whose] += 1
    try:
        yield
    finally:
        _open[whose] -= 1
        if not _open[whose]:
            del _open[whose]


def _whose(principal: Principal) -> str:
    return principal.identity or f"name:{principal.name}"
