"""The Celery application: `celery -A codetether worker|beat`."""

import os
import signal
from types import FrameType
from typing import Any

from celery import Celery
from celery.beat import Service
from celery.signals import beat_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")  # noqa: TID251

app = Celery("codetether")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")


@beat_init.connect
def _end_between_ticks(sender: Service, **_: Any) -> None:
    """Beat's own handler writes the schedule at once, wherever the signal has come. In the midst of a statement that is
    to wait for a lock which only this thread could give back. `Service.start` writes the schedule at its end anyway.
    """

    def end(number: int, frame: FrameType | None) -> None:
        sender.stop()
        if frame is not None and frame.f_code is Service.start.__code__:
            raise SystemExit  # it slept between two ticks

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
