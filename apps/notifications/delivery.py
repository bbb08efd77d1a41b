"""Telling: takes what is due and sends it, many at once, each at least once and until its device has it."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

import httpx

from apps.core.db import in_database
from apps.core.posting import alone, work_through
from apps.notifications.due import notice_done, notice_postpone, notices_take
from apps.notifications.models import Notice
from apps.notifications.news import news_of
from apps.notifications.services import device_drop
from apps.notifications.web_push import client, push

log = logging.getLogger(__name__)

AT_ONCE = 50
TAKING_SECONDS = 20.0
"""How long one run of the job takes up new work; then it ends what it has begun."""
_LOCK = 0x576562507573  # "WebPus"


def notices_deliver() -> None:
    """Tell whoever is to be told. Called again while it runs, it leaves everything to the run that is under way."""
    with alone(_LOCK) as is_alone:
        if is_alone:
            asyncio.run(deliver_due())


async def deliver_due(*, seconds: float = TAKING_SECONDS) -> None:
    """Take and tell until nothing is due any more, or `seconds` have passed."""

    async def take(most: int, busy: Mapping[str, int]) -> list[Notice]:
        return await in_database(notices_take, most=most, busy=busy)

    async with client() as sender:
        tell = partial(_tell, sender)
        await work_through(take, tell, host_of=_host, at_once=AT_ONCE, seconds=seconds)


def _host(notice: Notice) -> str:
    return notice.subscription.host


async def _tell(sender: httpx.AsyncClient, notice: Notice) -> None:
    """What fails here is this notice's matter alone."""
    try:
        await _tell_news(sender, notice)
    except Exception:
        log.exception("notice %s could not be told", notice.pk)
        await in_database(notice_postpone, notice, reason="An error on our side; see the log.")


async def _tell_news(sender: httpx.AsyncClient, notice: Notice) -> None:
    news = await in_database(news_of, notice)
    refusal = await push(sender, notice.subscription, news) if news is not None else None
    if refusal is None:
        await in_database(notice_done, notice, was_sent=news is not None)
    elif refusal.is_gone:
        log.info("device %s is gone: %s", notice.subscription_id, refusal.reason)
        await in_database(device_drop, device_id=notice.subscription_id)
    else:
        await in_database(notice_postpone, notice, reason=refusal.reason, retry_after=refusal.retry_after)
