"""What a product must offer to live the lives of the rules: the services themselves, or their faces over HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from tests.model.queue import Place
from tests.model.task import Wish

Data = dict[str, Any]
LACKING = ("no_worker", "no_session_worker", "no_codebase_worker", "declined", "no_role", "no_model", "no_capability")


class RefusedError(Exception):
    """The product refused; `code` is the stable name of why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Held:
    """A claim that was once good: task, token and who got it. `attempt` and `heard` are what the claimer was told."""

    task: UUID
    token: UUID
    worker: str
    attempt: int = 0
    heard: int = 0


@dataclass(frozen=True)
class Said:
    """One event that a worker reports, with its own number for it."""

    number: int
    kind: str
    data: Data


@dataclass(frozen=True)
class Ending:
    """How a worker ends a task."""

    status: str
    retry: bool = False
    heard: int | None = None


class Target(Protocol):
    """Every method raises RefusedError, and has then changed nothing."""

    message_is_answer: bool
    """Whether what is said to an asking task counts as its answer, as it does over A2A."""

    def begin(self, workers: Sequence[str]) -> None:
        """Start a life: empty tables, codebases `shop` and `till`, and these workers registered."""

    def create(self, wish: Wish, key: str) -> UUID: ...
    def cancel(self, task: UUID) -> None: ...
    def answer(self, task: UUID) -> None: ...
    def speak(self, task: UUID) -> None: ...
    def requeue(self, task: UUID) -> None: ...
    def reprioritise(self, task: UUID, priority: int) -> None: ...

    def claim(self, worker: str, limit: int) -> list[Held]: ...
    def claim_named(self, worker: str, task: UUID) -> Held: ...
    def renew(self, worker: str, claims: Sequence[Held], heard: int) -> Mapping[UUID, int]:
        """Of the renewed claims: the last thing that its holder must hear beyond `heard`, or 0."""

    def report(self, held: Held, said: Sequence[Said]) -> None: ...
    def finish(self, held: Held, ending: Ending) -> None: ...
    def snooze(self, held: Held, seconds: int) -> None: ...
    def decline(self, held: Held) -> None: ...
    def leave_question(self, held: Held) -> None: ...

    def bind(self, place: Place, most: int | None) -> None:
        """Let at most `most` tasks be held at once in this part of the queue; None: any number."""

    def pause(self, place: Place) -> None: ...
    def resume(self, place: Place) -> None: ...

    def why(self, task: UUID) -> str:
        """The code of why the task waits; empty where it does not. One code, `nobody`, for all that workers lack."""

    def reap(self) -> int:
        """Sweep once; how many tasks were moved."""

    def trespass(self, held: Held) -> Sequence[str]:
        """Try every write as somebody of another workspace; the refusals' codes, empty where one went through."""


def refusal(write: Callable[[], object]) -> str:
    """The code of the refusal; empty where there was none."""
    try:
        write()
    except RefusedError as refused:
        return refused.code
    return ""


def refusals(target: Target, held: Held) -> list[str]:
    """What becomes of everything that one can try to do to a task, as codes; empty where something was done."""
    leases = target.renew(held.worker, [held], 0)
    writes: list[Callable[[], object]] = [
        *(partial(client, held.task) for client in (target.cancel, target.answer, target.speak, target.requeue)),
        *(partial(worker, held) for worker in (target.decline, target.leave_question)),
        partial(target.reprioritise, held.task, 7),
        partial(target.snooze, held, 5),
        partial(target.finish, held, Ending("completed")),
        partial(target.report, held, [Said(1, "output", {"content": "mine"})]),
        partial(target.claim_named, held.worker, held.task),
    ]
    return [refusal(write) for write in writes] + ["" if leases else "task_not_found"]
