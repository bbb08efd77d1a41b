"""Tries to sign in are counted exactly, also many at once; and by the process itself while Redis is away."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.accounts import login_throttle
from apps.accounts.login_throttle import TooManyLoginsError, login_try

LIMIT = 5


@pytest.fixture(autouse=True)
def _limits(settings: Any, fresh_counts: None) -> None:
    settings.RATE_LIMITS = {"login": f"{LIMIT}/minute"}


def is_looked_at(name: str, address: str) -> bool:
    try:
        login_try(username=name, address=address)
    except TooManyLoginsError:
        return False
    return True


def test_many_at_once_gain_nothing() -> None:
    name, address = uuid.uuid4().hex, uuid.uuid4().hex
    with ThreadPoolExecutor(16) as pool:
        looked_at = list(pool.map(lambda _: is_looked_at(name, address), range(LIMIT * 10)))
    assert sum(looked_at) == LIMIT


def test_who_knows_the_password_begins_anew() -> None:
    name, address = uuid.uuid4().hex, uuid.uuid4().hex
    assert [is_looked_at(name, address) for _ in range(LIMIT + 1)] == [True] * LIMIT + [False]
    login_throttle.login_succeeded(username=name, address=address)
    assert is_looked_at(name.upper(), address)


def test_without_redis_this_process_counts(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    name, address = uuid.uuid4().hex, uuid.uuid4().hex
    assert [is_looked_at(name, address) for _ in range(LIMIT + 1)] == [True] * LIMIT + [False]
