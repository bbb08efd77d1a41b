"""What tests of push notifications share: a receiver, a task with a config for it, and the job done by hand."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from django.db.models.functions import Now

from apps.a2a.models import PushConfig
from apps.a2a.push_delivery import deliver_due
from apps.core.db import in_database
from apps.tasks.services import outbox_dispatch
from tests.api.a2a.client import Caller, Hand, Json
from tests.fakes.webhook import Call, Receiver

_numbers = itertools.count(1)


@dataclass(slots=True)
class Stage:
    """The cast of one test. `tell` does what Celery does: hand over the outbox, then deliver what is due."""

    ada: Caller
    hand: Hand
    hook: Receiver
    _messages: Any = field(default_factory=lambda: itertools.count(1))

    async def task(self, version: str = "1.0", **config: Any) -> str:
        """A new task whose changes are told to the receiver (or to `url`); its id."""
        told = {"url": self.hook.url(), **config}
        text = f"do {next(_numbers)}"
        if version == "1.0":
            message = {"role": "ROLE_USER", "messageId": text, "parts": [{"text": text}]}
            options = {"taskPushNotificationConfig": told, "returnImmediately": True}
            sent = await self.ada.result("SendMessage", {"message": message, "configuration": options})
            return str(sent["task"]["id"])
        message = {"role": "user", "messageId": text, "parts": [{"kind": "text", "text": text}]}
        options = {"pushNotificationConfig": told, "blocking": False}
        return str((await self.ada.result("message/send", {"message": message, "configuration": options}))["id"])

    async def tell(self, **more: Any) -> list[Call]:
        await in_database(outbox_dispatch)
        await deliver_due(**more)
        return self.hook.calls

    async def config(self) -> PushConfig:
        return await in_database(PushConfig.objects.get)

    async def due_again(self, **values: Any) -> None:
        """The time to try again has come."""
        await in_database(PushConfig.objects.update, due_at=Now(), **values)


def states(calls: list[Call]) -> list[str]:
    """The states that 1.0's calls tell of, `artifact` for an artifact."""
    return [_state(call.json) for call in calls]


def _state(body: Json) -> str:
    if "artifactUpdate" in body:
        return "artifact"
    state: str = body["statusUpdate"]["status"]["state"]
    return state.removeprefix("TASK_STATE_").lower()
