"""The cast of the worker protocol's tests: two laptops of one workspace, and what people do meanwhile."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from django.conf import settings

from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.core.wakeups import hub
from tests.api.worker.laptop import Laptop
from tests.factories import Cast

MakeLaptop = Callable[..., Laptop]


@pytest_asyncio.fixture
async def laptop_of(transactional_db: None, cast: Cast) -> AsyncIterator[MakeLaptop]:
    """Makes laptops: `laptop_of(token)`, by default those of CI's token, which is an admin's."""
    made: list[Laptop] = []

    def make(name: str = "w1", token: str = settings.A2A_AUTH_TOKENS["ci"]) -> Laptop:
        made.append(Laptop(token, name))
        return made[-1]

    yield make
    for one in made:
        await one.http.aclose()
    await hub().close()


@pytest_asyncio.fixture
async def w1(laptop_of: MakeLaptop, cast: Cast) -> Laptop:
    """A registered laptop with a worker's token and a global codebase."""
    laptop = laptop_of("w1", await in_database(cast.token, Role.WORKER))
    assert (await laptop.register()).status_code == 200
    return laptop


@pytest_asyncio.fixture
async def w2(laptop_of: MakeLaptop) -> Laptop:
    """A second one, with an admin's token."""
    laptop = laptop_of("w2")
    assert (await laptop.register()).status_code == 200
    return laptop


@pytest.fixture(autouse=True)
def _quick_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams look for themselves often enough that no test waits long for what no wake-up tells."""
    monkeypatch.setattr("apps.workers.stream.POLL_SECONDS", 0.3)
