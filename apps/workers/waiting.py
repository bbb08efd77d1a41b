"""Why a pending task waits: exactly one reason, and a true one, by the same rules as the claim.

The rules stand in the order in which a person would have to remove what is in the way.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from django.utils import timezone

from apps.tasks.selectors import GLOBAL_QUEUE, LINE_LIMIT, limits_set, running_by_worker, waiting, waiting_before
from apps.tasks.services import KEPT_BY, Claimer, keepers_in, kept_by
from apps.workers.models import Worker
from apps.workers.selectors import crew

if TYPE_CHECKING:
    from apps.tasks.models import QueueLimit, Task


@dataclass(frozen=True, slots=True)
class Reason:
    """`code` is stable, for programs and metrics; `text` is for people."""

    code: str
    text: str


class Pending(Protocol):
    """What of a task decides who may claim it: a `Task`, or a group of alike ones."""

    @property
    def queue(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def target_agent(self) -> str: ...
    @property
    def concurrency_key(self) -> str: ...
    @property
    def available_at(self) -> datetime: ...
    @property
    def deadline_at(self) -> datetime | None: ...
    @property
    def requires(self) -> Any: ...
    @property
    def declined_by(self) -> Any: ...


def why_pending(task: "Task") -> Reason | None:
    """Why no worker has the task yet; None for a task that is not pending."""
    return why_each_waits([task])[task.id] if task.state == "pending" else None


def why_each_waits(tasks: Collection["Task"]) -> Mapping[uuid.UUID, Reason]:
    """The same of several pending tasks at one moment, by their ids."""
    scenes: dict[uuid.UUID, Scene] = {}
    reasons = {}
    for task in tasks:
        scene = scenes.setdefault(task.workspace_id, Scene(task.workspace_id))
        reason = scene.why(task)
        if reason.code == "not_before" and task.error:
            reason = Reason(reason.code, f"{reason.text}: {task.error}")
        reasons[task.id] = reason if reason.code != NEXT_IN_LINE.code else _in_line(scene, task)
    return reasons


def _in_line(scene: "Scene", task: "Task") -> Reason:
    """Behind how many: those that something is in the way of will be passed over."""
    groups = waiting_before(task)
    before = sum(group.number for group in groups if scene.why(group).code == NEXT_IN_LINE.code)
    if not before:
        return NEXT_IN_LINE
    more = " or more" if sum(group.number for group in groups) >= LINE_LIMIT else ""
    return Reason(NEXT_IN_LINE.code, f"in line behind {before}{more} of its queue")


def pending_by_reason(workspace_id: uuid.UUID | None = None) -> Mapping[str, int]:
    """How many tasks wait for which reason, by code: of one workspace, or of all."""
    scenes: dict[uuid.UUID, Scene] = {}
    counts = Counter(dict.fromkeys(CODES, 0))
    for group in waiting(workspace_id):
        scene = scenes.setdefault(group.workspace_id, Scene(group.workspace_id))
        counts[scene.why(group).code] += group.number
    return counts


NEXT_IN_LINE = Reason("next_in_line", "next in line for a free worker")
CODES = (
    "deadline_passed", "not_before", "paused", "no_worker", "no_session_worker", "no_codebase_worker", "declined",
    "no_role", "no_model", "no_capability", "workspace_limit", "codebase_limit", "key_limit", "workers_busy",
    NEXT_IN_LINE.code,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Need:
    """What a task asks of the worker that takes it. `text` says that nobody has it, and `having` names it."""

    code: str
    text: str
    having: Callable[[Pending], str]
    is_met: Callable[[Pending, Claimer], bool]


def _listed(names: Sequence[str]) -> str:
    return f"all of: {', '.join(names)}" if len(names) > 1 else "".join(names)


_NEEDS = (
    Need(
        "no_session_worker",
        "no connected worker has {need}",
        lambda task: " and ".join(f"the session kept by {name}" for name in keepers_in(task.requires)),
        lambda task, it: set(map(kept_by, keepers_in(task.requires))) <= set(it.capabilities),
    ),
    Need(
        "no_codebase_worker",
        "no connected worker has {need}",
        lambda task: "a global codebase" if task.queue == GLOBAL_QUEUE else "its codebase",
        lambda task, it: task.queue in it.queues and bool(task.target_agent or not it.only_targeted),
    ),
    Need(
        "declined",
        "every worker that could take it has declined it",
        lambda task: "",
        lambda task, it: it.worker_id not in task.declined_by,
    ),
    Need(
        "no_role",
        "no {other}worker with {had} runs {need}",
        lambda task: task.target_agent and f"the agent {task.target_agent}",
        lambda task, it: not task.target_agent or task.target_agent in it.roles,
    ),
    Need(
        "no_model",
        "no {other}worker with {had} runs {need}",
        lambda task: task.model and f"the model {task.model}",
        lambda task, it: not task.model or task.model in it.models,
    ),
    Need(
        "no_capability",
        "no {other}worker with {had} has {need}",
        lambda task: _listed([name for name in task.requires if not name.startswith(KEPT_BY)]),
        lambda task, it: set(task.requires) <= set(it.capabilities),
    ),
)
_KINDS = {"workspace": "the workspace", "codebase": "its codebase", "key": "its concurrency key"}


class Scene:
    """A workspace at one moment: its workers with what they may take, and its limits."""

    def __init__(self, workspace_id: uuid.UUID) -> None:
        self.workspace_id = workspace_id

    @cached_property
    def connected(self) -> list[tuple[Worker, Claimer]]:
        return crew(self.workspace_id)

    @cached_property
    def workers(self) -> list[tuple[Worker, Claimer]]:
        """Those that take new tasks."""
        return [(worker, claimer) for worker, claimer in self.connected if not worker.drains]

    @cached_property
    def limits(self) -> "Mapping[tuple[str, str], QueueLimit]":
        return {(limit.kind, limit.key): limit for limit in limits_set(self.workspace_id)}

    @cached_property
    def running(self) -> Mapping[str, int]:
        return running_by_worker(self.workspace_id)

    def why(self, task: Pending) -> Reason:
        """Why a pending task waits."""
        now = timezone.now()
        if task.deadline_at is not None and task.deadline_at <= now:
            return Reason("deadline_passed", "its deadline has passed; the next sweep ends it")
        if task.available_at > now:
            return Reason("not_before", f"not before {task.available_at.isoformat(timespec='seconds')}")
        return self._paused(task) or self._nobody(task) or self._full(task) or self._busy(task) or NEXT_IN_LINE

    def _bounds(self, task: Pending) -> "list[QueueLimit]":
        places = (("workspace", ""), ("codebase", task.queue), ("key", task.concurrency_key))
        return [self.limits[place] for place in places if place in self.limits]

    def _paused(self, task: Pending) -> Reason | None:
        for limit in self._bounds(task):
            if limit.is_paused:
                why = f": {limit.reason}" if limit.reason else ""
                return Reason("paused", f"{_KINDS[limit.kind]} is paused by {limit.changed_by}{why}")
        return None

    def _nobody(self, task: Pending) -> Reason | None:
        if not self.workers:
            draining = "every connected worker is draining: it takes nothing new"
            return Reason("no_worker", draining if self.connected else "no worker is connected")
        left, had = self.workers, list[str]()
        for need in _NEEDS:
            left = [(worker, claimer) for worker, claimer in left if need.is_met(task, claimer)]
            if not left:
                return Reason(need.code, self._lack(task, need, had))
            had += filter(None, [need.having(task)])
        return None

    def _lack(self, task: Pending, need: Need, had: Sequence[str]) -> str:
        """In words, what no worker has; of workers that declined or drain something else may be true."""
        words = need.text.format(
            had=" and ".join(had), need=need.having(task), other="other " if task.declined_by else ""
        )
        return f"{words} (not counting those that drain)" if len(self.connected) > len(self.workers) else words

    def _full(self, task: Pending) -> Reason | None:
        for limit in self._bounds(task):
            if limit.most is not None and limit.held >= limit.most:
                text = f"{_KINDS[limit.kind]} is at its limit ({limit.held} of {limit.most} held)"
                return Reason(f"{limit.kind}_limit", text)
        return None

    def _busy(self, task: Pending) -> Reason | None:
        """All workers that could take it have their hands full, or an operator's pause."""
        fitting = [worker for worker, it in self.workers if all(need.is_met(task, it) for need in _NEEDS)]
        hindrances = [self._hindrance(worker) for worker in fitting]
        if not all(hindrances):
            return None
        who = "the only worker that could take it" if len(fitting) == 1 else f"each of {len(fitting)} fitting workers"
        return Reason("workers_busy", f"{who} is {' or '.join(sorted(set(hindrances)))}")

    def _hindrance(self, worker: Worker) -> str:
        """What keeps a worker from more: an operator's limit or pause, or as many tasks as it says it runs at once."""
        limit = self.limits.get(("worker", worker.worker_id))
        if limit is not None and limit.is_paused:
            return "paused"
        if limit is not None and limit.most is not None and limit.held >= limit.most:
            return "at its limit"
        is_full = worker.concurrency is not None and self.running.get(worker.worker_id, 0) >= worker.concurrency
        return "at its limit" if is_full else ""
