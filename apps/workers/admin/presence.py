"""Whether a worker is there, and whether it is of an older version than the server."""

import re

from django.conf import settings

from apps.workers.models import Worker

TONES = {"online": "success", "draining": "warning", "offline": "danger"}
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def presence(worker: Worker) -> str:
    """One of TONES; of a worker of which the query asked whether it is here."""
    if not worker.is_here:
        return "offline"
    return "draining" if worker.drains else "online"


def is_older(version: str) -> bool:
    """Whether a worker's version is before the server's; one that says none, or says it otherwise, is not."""
    return bool(_numbers(version)) and _numbers(version) < _numbers(settings.VERSION)


def _numbers(version: str) -> list[int]:
    """`1.2.0` and `1.2` are the same."""
    found = _NUMBERS.match(version)
    numbers = [int(one) for one in found[0].split(".")[:4]] if found and len(found[0]) < 50 else []
    return [*numbers, 0, 0, 0][:4] if numbers else []
