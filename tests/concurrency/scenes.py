"""How a task stands when two meet on it: made by the services, and told to the model step by step."""

from collections.abc import Callable

from apps.tasks.services import Claim
from tests.concurrency.acts import ACTS
from tests.expiry import expire_leases
from tests.factories import Cast
from tests.model.clock import pass_deadline
from tests.model.task import Task, Wish

Scene = tuple[Claim, Task]


def held(cast: Cast, attempts: int = 3) -> Scene:
    claim = cast.held(cast.task(max_attempts=attempts))
    task = Task.made(Wish(attempts=attempts), 0)
    task.claim("w1", claim.token)
    return claim, task


def after(scene: Scene, *names: str) -> Scene:
    claim, task = scene
    for name in names:
        assert ACTS[name].attempt(claim) == "ok"
        ACTS[name].apply(task)
    return scene


def expired(scene: Scene) -> Scene:
    expire_leases()
    scene[1].lease = "expired"
    return scene


def pending(cast: Cast, deadline: str = "") -> Scene:
    """Pending again: its old claim is over."""
    made = cast.task(deadline_seconds=3600 if deadline else None)
    claim, task = cast.held(made), Task.made(Wish(deadline=deadline), 0)
    task.claim("w1", claim.token)
    return after((claim, task), "requeue")


def late(cast: Cast) -> Scene:
    scene = pending(cast, "ahead")
    pass_deadline(scene[0].task_id)
    scene[1].deadline = "passed"
    return scene


SCENES: dict[str, Callable[[Cast], Scene]] = {
    "pending": pending,
    "late": late,
    "held": held,
    "expired": lambda cast: expired(held(cast)),
    "last": lambda cast: expired(held(cast, attempts=1)),
    "asking": lambda cast: after(held(cast), "ask"),
    "silent": lambda cast: expired(after(held(cast), "ask")),
    "unheld": lambda cast: after(held(cast), "leave"),
}
