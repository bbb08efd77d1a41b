"""The places for open streams that all processes share: so many of each caller, counted on Redis.

A process takes places before it opens streams and gives them back afterwards. While there are many left it takes some
at once, and most streams cost no round trip. What it holds lapses LEASE_SECONDS after it last said that it lives, so a
process that was killed holds nothing for long. While Redis is away each process counts by itself.
"""

import logging
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from redis import Redis, RedisError

log = logging.getLogger(__name__)

PREFIX = "codetether-streams"
LEASE_SECONDS = 60
RENEW_SECONDS = 20.0
ANSWER_SECONDS = 1.0
AGAIN_SECONDS = 2.0
SPARE_SHARE = 50
"""One in so many of a caller's places is taken ahead, while half of them are free."""

_TAKE = """
local others, mine = 0, tonumber(ARGV[2])
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    if all[i] ~= ARGV[1] then
        if redis.call('EXISTS', ARGV[6] .. all[i]) == 1 then others = others + tonumber(all[i + 1])
        else redis.call('HDEL', KEYS[1], all[i]) end
    end
end
local most, wanted = tonumber(ARGV[4]), tonumber(ARGV[3])
local room = most - others
local held = math.max(mine, math.min(wanted, room))
if room - wanted >= most / 2 then held = wanted + tonumber(ARGV[5]) end
redis.call('HSET', KEYS[1], ARGV[1], held)
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('SET', ARGV[6] .. ARGV[1], 1, 'EX', ARGV[7])
return held"""


class Places:
    """What this process holds for the streams that are `opened`, and those `asking` for a place, by whose they are.

    All is done by one thread, in order.
    """

    def __init__(self, url: str, opened: Mapping[str, int], asking: Mapping[str, int]) -> None:
        self._redis: Any = Redis.from_url(
            url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS, health_check_interval=30
        )
        self._take: Any = self._redis.register_script(_TAKE)
        self._opened, self._asking = opened, asking
        self._process = uuid.uuid4().hex
        self._held: dict[str, int] = {}
        self._ask_again = 0.0
        self._thread = ThreadPoolExecutor(1, "stream-places")

    @property
    def is_used(self) -> bool:
        """Whether there is anything to renew."""
        return bool(self._held)

    def covers(self, whose: str, number: int) -> bool:
        """Whether this process holds so many places; asks nobody."""
        return self._held.get(whose, 0) >= number

    def take_soon(self, whose: str, number: int, most: int) -> "Future[bool]":
        """Hold `number` places, of `most` that there are; False where there are not so many left."""
        return self._thread.submit(self._take_now, whose, number, most)

    def left(self, whose: str, most: int) -> None:
        """A stream has ended: what is held beyond need is given back."""
        if not self._opened or self._held.get(whose, 0) > self._opened.get(whose, 0) + most // SPARE_SHARE:
            self.renew_soon()

    def renew_soon(self) -> "Future[None]":
        """Say that this process lives, and what it needs; what it took ahead is given back."""
        return self._thread.submit(self._renew_now)

    def _take_now(self, whose: str, number: int, most: int) -> bool:
        if self.covers(whose, number):
            return True
        if time.monotonic() < self._ask_again:
            return number <= most
        given = [self._process, self._held.get(whose, 0), number, most, most // SPARE_SHARE, _alive(), LEASE_SECONDS]
        try:
            self._held[whose] = int(self._take(keys=[_key(whose)], args=given))
        except RedisError as error:
            self._is_away(error)
            return number <= most
        self._is_back()
        return self.covers(whose, number)

    def _renew_now(self) -> None:
        before, needed = self._held, self._needed()
        self._held = needed
        trip = self._redis.pipeline(transaction=False)
        for whose in before.keys() - needed.keys():
            trip.hdel(_key(whose), self._process)
        for whose, number in needed.items():
            trip.hset(_key(whose), self._process, number).expire(_key(whose), LEASE_SECONDS)
        trip.set(_alive() + self._process, 1, ex=LEASE_SECONDS)
        try:
            trip.execute()
        except RedisError as error:
            self._is_away(error)
        else:
            self._is_back()

    def _needed(self) -> dict[str, int]:
        """What is open, counted or not; and of what is held besides, what somebody is just asking for."""
        opened, asking = dict(self._opened), dict(self._asking)
        wanted = {
            whose: min(self._held.get(whose, 0), opened.get(whose, 0) + number) for whose, number in asking.items()
        }
        needed = {whose: max(opened.get(whose, 0), wanted.get(whose, 0)) for whose in opened.keys() | wanted.keys()}
        return {whose: number for whose, number in needed.items() if number}

    def _is_away(self, error: RedisError) -> None:
        if not self._ask_again:
            log.warning("Redis does not count streams (%s); this process does, by itself", type(error).__name__)
        self._ask_again = time.monotonic() + AGAIN_SECONDS

    def _is_back(self) -> None:
        if self._ask_again:
            self._ask_again = 0.0
            log.info("Redis counts streams again")


def _key(whose: str) -> str:
    return f"{PREFIX}:of:{whose}"


def _alive() -> str:
    return f"{PREFIX}:process:"
