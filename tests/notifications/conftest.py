"""The cast of notifications: a person with a device, its push service, and a worker's hand.

Everything runs on the test's own connection, so that a test costs a transaction that is rolled back.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.accounts.models import User
from apps.accounts.permissions import Role
from apps.notifications.delivery import deliver_due
from apps.notifications.models import Notice, PushSubscription
from apps.notifications.services import NewDevice, device_add
from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.services import Claim, Outcome, outbox_dispatch, task_finish, task_progress
from apps.tasks.states import State
from codetether.celery import app
from tests.factories import Cast
from tests.fakes.push_service import Device, encoded
from tests.fakes.webhook import Call, Receiver, receiving
from tests.one_connection import database_work_is_the_tests


@dataclass(slots=True)
class Stage:
    """`tell` does what Celery does: hand over the outbox, then deliver what is due."""

    cast: Cast
    service: Receiver
    run: Callable[..., Any]
    devices: dict[str, Device] = field(default_factory=dict)

    def person(self, name: str = "olga", role: Role = Role.OPERATOR, **more: Any) -> User:
        return self.cast.user(name, role, **{"is_staff": True, **more})

    def device(self, user: User, path: str = "/push/1", **more: Any) -> PushSubscription:
        """A device of theirs, turned on."""
        one = self.devices[path] = Device(self.service.url(path))
        keys = one.said["keys"]
        new = NewDevice(endpoint=one.endpoint, p256dh=keys["p256dh"], auth=encoded(one.auth), name="Chrome on Android")
        made = device_add(user=user, new=new)
        PushSubscription.objects.filter(pk=made.pk).update(**more)
        return made

    def asks(self, claim: Claim, question: str = "Which one?") -> Task:
        return task_progress(claim=claim, reported=[from_worker("input_required", {"question": question})])

    def fails(self, claim: Claim, error: str = "no disk left", **more: Any) -> Task:
        return task_finish(claim=claim, outcome=Outcome(status=State.FAILED, error=error, **more))

    def tell(self) -> list[Call]:
        outbox_dispatch()
        self.run(deliver_due())
        return self.service.calls

    def told(self) -> list[dict[str, Any]]:
        """What the devices read, after telling."""
        return [self.devices[call.path].read(call) for call in self.tell()]

    def due_again(self) -> None:
        """The time to try again has come."""
        Notice.objects.update(due_at=Now())


@pytest.fixture
def stage(cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    settings.OUTBOUND_ALLOWED = ["127.0.0.0/8"]
    app.set_default()  # whose broker takes what nobody here will do
    with asyncio.Runner() as runner, database_work_is_the_tests(runner, monkeypatch):
        served = receiving()
        yield Stage(cast, runner.run(served.__aenter__()), runner.run)
        runner.run(served.__aexit__(None, None, None))
