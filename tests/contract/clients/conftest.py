"""The product and the official clients, all started once for the session; a worker's hand for each test."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from tests.contract.clients.drivers import COMMANDS, Driver, install_clients
from tests.contract.clients.hands import Hand
from tests.contract.clients.site import celery, free_port, grpc_process, own_database
from tests.contract.clients.speaking import WAYS, Speaker, Way
from tests.e2e.plant import Plant
from tests.fakes.control_plane import TOKEN

LEASE_SECONDS = 30


@pytest.fixture(scope="session")
def site(
    django_db_setup: None, django_db_blocker: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plant]:
    """The web and gRPC processes, on a database that no other test touches."""
    port = free_port()
    with ExitStack() as stack:
        plant = Plant(
            Path(tmp_path_factory.mktemp("site")),
            lease_seconds=LEASE_SECONDS,
            database=stack.enter_context(own_database(f"clients_{os.getpid()}", django_db_blocker)),
            A2A_REDIS_URL=own_broker(),
            A2A_GRPC_PORT=str(port),
            A2A_BLOCKING_TIMEOUT="10",
            A2A_CONFORMANCE="true",
            A2A_OUTBOUND_ALLOWED="127.0.0.1",
        )
        stack.enter_context(plant)
        stack.enter_context(grpc_process(plant, port))
        yield plant


def own_broker() -> str:
    """A number of Redis' databases that other tests' processes do not use: jobs of another database come by it."""
    number = 8 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    return f"{str(settings.REDIS_URL).rpartition('/')[0]}/{number}"


@pytest.fixture(scope="session")
def jobs(site: Plant) -> Iterator[None]:
    """The site's background jobs run."""
    with celery(site):
        yield


@pytest.fixture(scope="session")
def drivers(site: Plant) -> Iterator[dict[str, Driver]]:
    """The running client programs by name."""
    install_clients()
    with ExitStack() as stack:
        yield {name: stack.enter_context(Driver(name, site.url, TOKEN)) for name in COMMANDS}


@pytest.fixture
def hand(site: Plant) -> Iterator[Hand]:
    one = Hand(site.http)
    yield one
    one.leave()


@pytest.fixture(params=WAYS, ids=str)
def speaker(request: pytest.FixtureRequest, drivers: dict[str, Driver], hand: Hand) -> Speaker:
    """Each client in each version and binding that it speaks; its messages are for the hand."""
    way: Way = request.param
    return Speaker(way, drivers[way.client], hand.role)
