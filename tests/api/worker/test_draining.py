"""An operator drains a worker, by its id."""

import pytest

from apps.accounts.permissions import Role
from apps.audit.models import AuditEntry
from apps.core.db import in_database
from apps.workers.models import Worker
from tests.api.worker.conftest import MakeLaptop
from tests.api.worker.laptop import Laptop
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
DRAIN = "/v1/opencode/workers/w1/drain"


async def test_operator_drains_a_worker_and_lets_it_take_work_again(
    cast: Cast, w1: Laptop, laptop_of: MakeLaptop
) -> None:
    await in_database(cast.task)
    otto = laptop_of(token=await in_database(cast.token, Role.OPERATOR))
    said = (await otto.post(DRAIN, {"drain": True})).json()["worker"]
    assert (said["draining"], said["stopping"], said["status"]) == (True, False, "draining")
    assert (await w1.beat()).json()["drain"] is True
    assert (await w1.claim()).json()["tasks"] == []
    assert (await otto.post(DRAIN, {"drain": False})).json()["worker"]["status"] == "active"
    assert (await w1.beat()).json()["drain"] is False
    await w1.take()
    entries = await in_database(lambda: list(AuditEntry.objects.filter(action="worker.drain").order_by("seq")))
    assert [(entry.target, entry.details["draining"]) for entry in entries] == [
        ("worker:w1", True),
        ("worker:w1", False),
    ]


async def test_worker_drains_nobody(w1: Laptop) -> None:
    assert (await w1.post(DRAIN, {"drain": True})).status_code == 403
    assert not (await in_database(Worker.objects.get)).draining


@pytest.mark.parametrize("body", [{}, {"drain": "yes"}, {"drain": None}])
async def test_drain_says_whether(laptop_of: MakeLaptop, w1: Laptop, body: dict[str, object]) -> None:
    assert (await laptop_of().post(DRAIN, body)).status_code == 400
    assert not (await in_database(Worker.objects.get)).draining


async def test_nobody_drains_a_worker_that_there_is_not(laptop_of: MakeLaptop) -> None:
    refused = await laptop_of().post(DRAIN, {"drain": True})
    assert (refused.status_code, refused.json()["code"]) == (404, "worker_not_found")
    assert not await in_database(AuditEntry.objects.filter(action="worker.drain").exists)
