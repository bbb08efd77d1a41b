"""A limit lets exactly as many calls through as it says: 16 threads, two web processes, both lanes."""

import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.plant import Plant
from tests.factories import Cast
from tests.fakes.control_plane import TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

THREADS, STRANGERS, KNOWN = 16, 30, 40
GET_TASK = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "none"}}


@pytest.fixture
def urls(cast: Cast, tmp_path: Path) -> Iterator[list[str]]:
    """Two processes on one database and one Redis, whose counts are nobody else's."""
    name = uuid.uuid4().hex
    variables: dict[str, Any] = {
        "A2A_RATE_LIMIT_ANONYMOUS": f"{STRANGERS}/hour",
        "A2A_RATE_LIMIT_ADMIN": f"{KNOWN}/hour",
        "A2A_AUTH_TOKENS": f"{name}:{TOKEN}",
    }
    homes = [tmp_path / home for home in ("a", "b")]
    for home in homes:
        home.mkdir()
    plants = [Plant(home, **variables) for home in homes]
    with ExitStack() as stack, ThreadPoolExecutor(len(plants)) as pool:
        for plant in plants:
            stack.push(plant.__exit__)
        list(pool.map(Plant.__enter__, plants))
        yield [plant.url for plant in plants]


def answers(urls: list[str], calls: int, **headers: str) -> Counter[int]:
    """How many answers of each status there were to so many calls, spread over threads, processes and lanes."""
    with httpx.Client(headers=headers, trust_env=False, timeout=60) as http, ThreadPoolExecutor(THREADS) as pool:

        def call(number: int) -> int:
            url = urls[number % 2]
            if number // 2 % 2:
                return http.get(f"{url}/v1/opencode/tasks?limit=1").status_code
            return http.post(f"{url}/a2a/jsonrpc", json=GET_TASK).status_code

        return Counter(pool.map(call, range(calls)))


def test_exactly_as_many_calls_are_served_as_the_limit_says(urls: list[str]) -> None:
    network = f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}"
    strangers = answers(urls, STRANGERS * 10, **{"x-forwarded-for": f"{network}::7"})
    assert strangers == {401: STRANGERS, 429: STRANGERS * 9}
    neighbour = answers(urls, 2, **{"x-forwarded-for": f"{network}:1::8"})
    assert neighbour == {429: 2}
    known = answers(urls, KNOWN * 10, authorization=f"Bearer {TOKEN}", **{"x-forwarded-for": f"{network}::7"})
    assert known == {200: KNOWN, 429: KNOWN * 9}
