"""How often somebody may do something: counted exactly, over all processes and threads.

A moving window on Redis (library `limits`): every count and the look at what is left are one transaction in one round
trip, so of many at once exactly as many get through as may. While Redis is away each process counts by itself, and
asks Redis again after `AGAIN_SECONDS`.

A limit that is used up stays so until its oldest entry leaves the window, and nothing but `forget` ends that sooner.
So this process answers for it until then without asking: a flood of refusals costs Redis nothing.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import ceil
from typing import Any

from django.conf import settings
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError
from redis.exceptions import NoScriptError

from apps.core.errors import CodeTetherError
from apps.core.threads import Threads

log = logging.getLogger(__name__)

PREFIX = "codetether-limits"
ANSWER_SECONDS = 1.0
AGAIN_SECONDS = 2.0
THREADS = 4
REMEMBER_AT_MOST = 10_000

Limits = tuple[RateLimitItem, ...]


class RateLimitedError(CodeTetherError):
    """Too many calls; `retry_after` says in how many seconds the next one is served."""

    status, code = 429, "rate_limited"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands under a limit: whether this call is within, how many are left, and in how many seconds
    there is room for one more."""

    policy: str
    item: RateLimitItem
    is_within: bool
    left: int
    seconds: int


@lru_cache(maxsize=64)
def limits_in(text: str) -> Limits:
    """The limits that a setting names, such as `10/second;1000/hour`."""
    return tuple(parse_many(text)) if text else ()


def count(policy: str, limits: str, who: str) -> list[Standing]:
    """Count one call of `who` under each limit, up to the first that has no room; blocks for a round trip."""
    standings = []
    for item in limits_in(limits):
        standing = _counter().count(policy, item, who)
        standings.append(standing)
        if not standing.is_within:
            break
    return standings


async def count_soon(policy: str, limits: str, who: str) -> list[Standing]:
    """The same from the event loop, which does not block."""
    return await _threads().run(partial(count, policy, limits, who))


def forget(policy: str, limits: str, who: str) -> None:
    """Whatever `who` has used up under these limits is given back."""
    for item in limits_in(limits):
        _counter().forget(policy, item, who)


def refused(standings: Sequence[Standing]) -> Standing | None:
    """The standing that refuses the call; None where all have room."""
    return next((one for one in standings if not one.is_within), None)


def limit_headers(standings: Sequence[Standing]) -> list[tuple[bytes, bytes]]:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10 §3, §4)."""
    if not standings:
        return []
    names = _names(standings)
    policies = (f'"{name}";q={one.item.amount};w={one.item.get_expiry()}' for name, one in names)
    left = (f'"{name}";r={one.left};t={one.seconds}' for name, one in names)
    return [(b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(left).encode())]


def _names(standings: Sequence[Standing]) -> list[tuple[str, Standing]]:
    """A policy of several limits is told with the time of each."""
    many = {one.policy for one in standings if sum(other.policy == one.policy for other in standings) > 1}
    return [
        (f"{one.policy}-{one.item.GRANULARITY.name}" if one.policy in many else one.policy, one) for one in standings
    ]


@lru_cache(maxsize=1)
def _threads() -> Threads:
    return Threads(THREADS, "limits")


@lru_cache(maxsize=4)
def _counter_at(url: str) -> "_Counter":
    return _Counter(url)


def _counter() -> "_Counter":
    return _counter_at(settings.REDIS_URL)


class _Counter:
    """Counts on one Redis, or in this process while that does not answer."""

    def __init__(self, url: str) -> None:
        self._redis = RedisStorage(
            url, key_prefix=PREFIX, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )
        self._client: Any = self._redis.get_connection()
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._ask_again = 0.0
        self._lock = threading.Lock()
        self._used_up: dict[tuple[str, RateLimitItem, str], float] = {}

    def count(self, policy: str, item: RateLimitItem, who: str) -> Standing:
        key = (policy, item, who)
        wait = self._used_up.get(key, 0.0) - time.time()
        if wait > 0:
            return Standing(policy, item, False, 0, ceil(wait))
        is_within, left, until = self._hit(policy, item, who)
        if not is_within:
            self._remember(key, until)
        return Standing(policy, item, is_within, left, max(1, ceil(until - time.time())))

    def forget(self, policy: str, item: RateLimitItem, who: str) -> None:
        self._used_up.pop((policy, item, who), None)
        self._own.clear(item, policy, who)
        if time.monotonic() >= self._ask_again:
            try:
                self._redis.clear(item.key_for(policy, who))
            except RedisError as error:
                self._is_away(error)

    def _hit(self, policy: str, item: RateLimitItem, who: str) -> tuple[bool, int, float]:
        """(within, how many are left, when there is room for one more, in seconds since 1970)."""
        if time.monotonic() >= self._ask_again:
            try:
                answer = self._hit_redis(item, item.key_for(policy, who))
            except RedisError as error:
                self._is_away(error)
            else:
                self._is_back()
                return answer
        is_within = self._own.hit(item, policy, who)
        stats = self._own.get_window_stats(item, policy, who)
        return is_within, stats.remaining, stats.reset_time

    def _hit_redis(self, item: RateLimitItem, key: str) -> tuple[bool, int, float]:
        """The library's own scripts, both in one transaction."""
        try:
            acquired, window = self._run_scripts(item, key)
        except NoScriptError:  # a Redis that has just been started
            for script in (self._redis.lua_acquire_moving_window, self._redis.lua_moving_window):
                self._client.script_load(script.script)
            acquired, window = self._run_scripts(item, key)
        oldest, held = (float(window[0]), int(window[1])) if window else (time.time(), 0)
        return bool(acquired), max(0, item.amount - held), oldest + item.get_expiry()

    def _run_scripts(self, item: RateLimitItem, key: str) -> list[Any]:
        name, now, span = self._redis.prefixed_key(key), time.time(), item.get_expiry()
        trip = self._client.pipeline(transaction=True)
        trip.evalsha(self._redis.lua_acquire_moving_window.sha, 1, name, now, item.amount, span, 1)
        trip.evalsha(self._redis.lua_moving_window.sha, 1, name, now - span, item.amount)
        answers: list[Any] = trip.execute()
        return answers

    def _remember(self, key: tuple[str, RateLimitItem, str], until: float) -> None:
        if len(self._used_up) >= REMEMBER_AT_MOST:
            self._used_up.clear()
        self._used_up[key] = until

    def _is_away(self, error: RedisError) -> None:
        with self._lock:
            if not self._ask_again:
                log.warning("Redis does not count calls (%s); this process does, by itself", type(error).__name__)
            self._ask_again = time.monotonic() + AGAIN_SECONDS

    def _is_back(self) -> None:
        if self._ask_again:
            with self._lock:
                self._ask_again = 0.0
                log.info("Redis counts calls again")
