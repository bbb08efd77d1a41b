"""Telling somebody outside by a POST: what they say to it, when to try again, and one run of such a job at a time."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from django.db import connection

from apps.core.outbound import OutboundRefusedError

GONE = frozenset({404, 410})
"""Statuses by which a receiver says that nobody is there any more."""
FIRST_DELAY, MOST_DELAY = 2.0, 3600.0
LOOK_SECONDS = 0.5
"""While some are slow, how often to look for what has become due."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a receiver has not taken something; `retry_after` in seconds, 0 where it did not say."""

    reason: str
    is_gone: bool = False
    retry_after: float = 0.0


async def post(client: httpx.AsyncClient, url: str, *, body: bytes, headers: Mapping[str, str]) -> Refusal | None:
    """None: it was taken. The answer's body is of no interest and is not read. `client` is one of `outbound_client`."""
    try:
        async with client.stream("POST", url, content=body, headers=headers) as response:
            return _refusal(response)
    except OutboundRefusedError as error:
        return Refusal(error.detail)
    except httpx.TimeoutException:
        return Refusal(f"No answer within {client.timeout.read:g} s.")
    except httpx.HTTPError as error:  # its text may hold what we sent
        return Refusal(f"No answer: {type(error).__name__}.")


def _refusal(response: httpx.Response) -> Refusal | None:
    if response.is_success:
        return None
    status = response.status_code
    hint = "; redirects are not followed" if response.is_redirect else ""
    asked = retry_after(response.headers.get("retry-after", ""))
    return Refusal(f"Answered with status {status}{hint}.", status in GONE, asked)


def retry_after(text: str) -> float:
    """The seconds that a `Retry-After` asks for, as a number or a date (RFC 9110 §10.2.3); 0 where it says neither."""
    if text.isascii() and text.isdigit() and len(text) < 9:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return 0.0


def delay_after(attempts: int, retry_after: float = 0.0) -> float:
    """Seconds until the next attempt: doubling up to an hour, with jitter, so that many do not come at once."""
    doubled = FIRST_DELAY * 2.0 ** min(attempts - 1, 20)
    return min(MOST_DELAY, max(doubled * random.uniform(0.75, 1.25), FIRST_DELAY, retry_after))


async def work_through[T](
    take: Callable[[int, Mapping[str, int]], Awaitable[Collection[T]]],
    tell: Callable[[T], Coroutine[Any, Any, None]],
    *,
    host_of: Callable[[T], str],
    at_once: int,
    seconds: float,
) -> None:
    """Take and tell until nothing is due any more, or `seconds` have passed; then end what has begun.

    `take(most, busy)` gives up to `most`; `busy` says how many are being told now, by host.
    """
    running: dict[asyncio.Task[None], str] = {}
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    async with asyncio.TaskGroup() as group:
        while True:
            most = at_once - len(running) if loop.time() < until else 0
            taken = await take(most, Counter(running.values())) if most else []
            for one in taken:
                running[group.create_task(tell(one))] = host_of(one)
            if taken:
                continue
            if not running:
                return
            ended, _ = await asyncio.wait(running, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for done in ended:
                del running[done]


@contextmanager
def alone(lock: int) -> Iterator[bool]:
    """Whether this is the only run that holds `lock`: slow receivers shall not occupy all of Celery's processes.

    Only politeness: without the lock (its connection was lost) things are still taken by one run each.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        ((is_alone,),) = cursor.fetchall()
        try:
            yield bool(is_alone)
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
