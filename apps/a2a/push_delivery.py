"""Telling: takes what is due and posts it, many at once, each config's news in order and at least once (1.0 §4.3.3)."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from django.db import connection

from apps.a2a.models import PushConfig
from apps.a2a.push_cursor import config_advance, config_postpone, config_settle, configs_take
from apps.a2a.push_news import MEDIA_TYPES, Notification, news_for
from apps.core.db import in_database
from apps.core.errors import UnavailableError
from apps.core.outbound import OutboundRefusedError, outbound_client
from apps.core.sealing import opened

log = logging.getLogger(__name__)

AT_ONCE = 50
TIMEOUT_SECONDS = 10.0
TAKING_SECONDS = 20.0
"""How long one run of the job takes up new work; then it ends what it has begun."""
LOOK_SECONDS = 0.5
"""While some are slow, how often to look for what has become due."""
GONE = frozenset({404, 410})
"""Statuses by which a receiver says that nobody is there any more."""
_LOCK = 0x41324150757368  # "A2APush"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a receiver has not taken a notification; `retry_after` in seconds, 0 where it did not say."""

    reason: str
    is_gone: bool = False
    retry_after: float = 0.0


def push_deliver() -> None:
    """Tell whoever is to be told. Called again while it runs, it leaves everything to the run that is under way."""
    with _alone() as is_alone:
        if is_alone:
            asyncio.run(deliver_due())


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether this is the only run: slow receivers shall not occupy all of Celery's processes.

    Only politeness: without the lock (its connection was lost) the configs are still taken by one run each.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        ((is_alone,),) = cursor.fetchall()
        try:
            yield bool(is_alone)
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


async def deliver_due(*, seconds: float = TAKING_SECONDS) -> None:
    """Take and tell until nothing is due any more, or `seconds` have passed."""
    running: dict[asyncio.Task[None], str] = {}
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    client = outbound_client(timeout=TIMEOUT_SECONDS, total=TIMEOUT_SECONDS, max_bytes=None)
    async with client, asyncio.TaskGroup() as group:
        while True:
            most = AT_ONCE - len(running) if loop.time() < until else 0
            busy = Counter(running.values())
            taken = await in_database(configs_take, most=most, busy=busy) if most else []
            for config in taken:
                running[group.create_task(_tell(client, config))] = config.host
            if taken:
                continue
            if not running:
                return
            ended, _ = await asyncio.wait(running, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for one in ended:
                del running[one]


async def _tell(client: httpx.AsyncClient, config: PushConfig) -> None:
    """All the news of one config. What fails here is this config's matter alone."""
    try:
        await _tell_news(client, config)
    except Exception:
        log.exception("push config %s could not be told", config.pk)
        await in_database(config_postpone, config, reason="An error on our side; see the log.", is_gone=False)


async def _tell_news(client: httpx.AsyncClient, config: PushConfig) -> None:
    news = await in_database(news_for, config)
    last = len(news.notifications) - 1
    for number, notification in enumerate(news.notifications):
        refusal = await _post(client, config, notification)
        if refusal is not None:
            reason, is_gone, retry_after = refusal.reason, refusal.is_gone, refusal.retry_after
            await in_database(config_postpone, config, reason=reason, is_gone=is_gone, retry_after=retry_after)
            return
        if number < last and not await in_database(config_advance, config, heard_seq=notification.heard_seq):
            return
    await in_database(config_settle, config, heard_seq=news.last_seq, was_sent=bool(news.notifications))


async def _post(client: httpx.AsyncClient, config: PushConfig, notification: Notification) -> Refusal | None:
    """None: it was taken. The answer's body is of no interest and is not read."""
    try:
        headers = _headers(config, notification)
    except UnavailableError as error:
        return Refusal(error.detail)
    try:
        async with client.stream("POST", config.url, content=notification.body, headers=headers) as response:
            return _refusal(response)
    except OutboundRefusedError as error:
        return Refusal(error.detail)
    except httpx.TimeoutException:
        return Refusal(f"No answer within {TIMEOUT_SECONDS:g} s.")
    except httpx.HTTPError as error:  # its text may hold what we sent
        return Refusal(f"No answer: {type(error).__name__}.")


def _refusal(response: httpx.Response) -> Refusal | None:
    if response.is_success:
        return None
    status = response.status_code
    hint = "; redirects are not followed" if response.is_redirect else ""
    asked = response.headers.get("retry-after", "")
    seconds = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0.0
    return Refusal(f"Answered with status {status}{hint}.", status in GONE, seconds)


def _headers(config: PushConfig, notification: Notification) -> dict[str, str]:
    headers = {
        "content-type": MEDIA_TYPES[config.version],
        "a2a-version": config.version,
        "idempotency-key": notification.key,
    }
    if config.token:
        headers["x-a2a-notification-token"] = opened(config, "token")
    if config.scheme and config.credentials:
        headers["authorization"] = f"{config.scheme} {opened(config, 'credentials')}"
    return headers
