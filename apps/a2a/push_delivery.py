"""Telling: takes what is due and posts it, many at once, each config's news in order and at least once (1.0 §4.3.3)."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from operator import attrgetter

import httpx

from apps.a2a.models import PushConfig
from apps.a2a.push_cursor import config_advance, config_postpone, config_settle, configs_take
from apps.a2a.push_news import MEDIA_TYPES, Notification, news_for
from apps.core.db import in_database
from apps.core.errors import UnavailableError
from apps.core.outbound import outbound_client
from apps.core.posting import Refusal, alone, post, work_through
from apps.core.sealing import opened

log = logging.getLogger(__name__)

AT_ONCE = 50
TIMEOUT_SECONDS = 10.0
TAKING_SECONDS = 20.0
"""How long one run of the job takes up new work; then it ends what it has begun."""
_LOCK = 0x41324150757368  # "A2APush"


def push_deliver() -> None:
    """Tell whoever is to be told. Called again while it runs, it leaves everything to the run that is under way."""
    with alone(_LOCK) as is_alone:
        if is_alone:
            asyncio.run(deliver_due())


async def deliver_due(*, seconds: float = TAKING_SECONDS) -> None:
    """Take and tell until nothing is due any more, or `seconds` have passed."""

    async def take(most: int, busy: Mapping[str, int]) -> list[PushConfig]:
        return await in_database(configs_take, most=most, busy=busy)

    async with outbound_client(timeout=TIMEOUT_SECONDS, total=TIMEOUT_SECONDS, max_bytes=None) as client:
        tell = partial(_tell, client)
        await work_through(take, tell, host_of=attrgetter("host"), at_once=AT_ONCE, seconds=seconds)


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
    """None: it was taken."""
    try:
        headers = _headers(config, notification)
    except UnavailableError as error:
        return Refusal(error.detail)
    return await post(client, config.url, body=notification.body, headers=headers)


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
