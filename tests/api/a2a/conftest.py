"""The cast of A2A's tests: an operator's client, and a worker's hand."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from django.conf import settings

from apps.core.wakeups import hub
from codetether.celery import app
from tests.api.a2a.client import Caller, Hand
from tests.api.a2a.push_stage import Stage
from tests.api.a2a.rest_client import RestCaller
from tests.factories import Cast
from tests.fakes.webhook import receiving


@pytest_asyncio.fixture
async def ada(transactional_db: None, cast: Cast) -> AsyncIterator[Caller]:
    """A client with CI's token."""
    caller = Caller(settings.A2A_AUTH_TOKENS["ci"])
    yield caller
    await caller.http.aclose()
    await hub().close()


@pytest_asyncio.fixture
async def hand(ada: Caller, cast: Cast) -> Hand:
    return Hand(cast)


@pytest_asyncio.fixture
async def stage(ada: Caller, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A receiver of push notifications on this machine, which may be called."""
    monkeypatch.setattr(settings, "OUTBOUND_ALLOWED", ["127.0.0.0/8"])
    app.set_default()  # whose broker takes what nobody here will do
    async with receiving() as hook:
        yield Stage(ada, hand, hook)


@pytest_asyncio.fixture
async def rest(ada: Caller) -> AsyncIterator[RestCaller]:
    """Ada's client of the REST binding."""
    caller = RestCaller(settings.A2A_AUTH_TOKENS["ci"])
    yield caller
    await caller.http.aclose()
