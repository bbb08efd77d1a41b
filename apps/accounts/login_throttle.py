"""How often somebody may try a password: counted per name and address, per name, and per address.

Every try is counted before the password is looked at, so many at once gain nothing (a moving window on Redis). While
Redis is away this process counts by itself.
"""

import hashlib
import logging
import time
from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError

from apps.core.errors import CodeTetherError

log = logging.getLogger(__name__)

PER_NAME_AND_ADDRESS = RateLimitItemPerMinute(5, namespace="login")
PER_ADDRESS = RateLimitItemPerMinute(30, namespace="login")
PER_NAME = RateLimitItemPerHour(100, namespace="login")
SECONDS = 1.0


class TooManyLoginsError(CodeTetherError):
    """Too many tries; `retry_after` says when the next one is looked at."""

    status, code = 429, "too_many_logins"


def login_try(*, username: str, address: str) -> None:
    """Count a try; TooManyLoginsError where it is one too many."""
    for item, *keys in _counted(username, address):
        if not _hit(item, *keys):
            wait = _wait(item, *keys)
            raise TooManyLoginsError("Too many tries to sign in: wait, then try again.", retry_after=wait)


def login_succeeded(*, username: str, address: str) -> None:
    """Whoever knows the password is no guesser: forget their tries from here."""
    item, *keys = _counted(username, address)[0]
    try:
        _limiter().clear(item, *keys)
    except RedisError:
        _own().clear(item, *keys)


def _counted(username: str, address: str) -> list[tuple[RateLimitItem, str, str]]:
    """What is counted; a name goes into the key as a digest, since anybody may send anything as one."""
    name = hashlib.sha256(username.casefold().encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return [
        (PER_NAME_AND_ADDRESS, name, address),
        (PER_ADDRESS, "from", address),
        (PER_NAME, "name", name),
    ]


def _hit(item: RateLimitItem, *keys: str) -> bool:
    try:
        return _limiter().hit(item, *keys)
    except RedisError as error:
        log.warning("Redis does not count sign-ins (%s); this process does", type(error).__name__)
        return _own().hit(item, *keys)


def _wait(item: RateLimitItem, *keys: str) -> int:
    """Whole seconds until the next try is looked at."""
    try:
        until = _limiter().get_window_stats(item, *keys).reset_time
    except RedisError:
        until = _own().get_window_stats(item, *keys).reset_time
    return max(1, int(until - time.time()) + 1)


@lru_cache(maxsize=1)
def _limiter() -> MovingWindowRateLimiter:
    storage = RedisStorage(
        settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, key_prefix="codetether-limits"
    )
    return MovingWindowRateLimiter(storage)


@lru_cache(maxsize=1)
def _own() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())
