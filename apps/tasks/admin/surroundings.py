"""What a codebase's pages say of the workers around it. Only the app of workers knows, and the heart may not ask it."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Value
from django.db.models.expressions import Combinable

from apps.codebases.models import Codebase
from apps.tasks.models import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A worker that has a codebase. `busy` of `most` tasks at once (None: it did not say), `share` of them in percent.

    `word` and `tone` say how it is; `takes_work`: it is connected and takes new tasks.
    """

    name: str
    url: str
    word: str
    tone: str
    busy: int
    most: int | None
    share: int
    programs: Sequence[str]
    models: Sequence[str]
    takes_work: bool


class Reason(Protocol):
    """Why a task waits."""

    @property
    def text(self) -> str: ...


class Surroundings(Protocol):
    def is_served(self) -> Combinable:
        """Whether a connected worker takes a codebase's tasks, for a query over codebases."""
        ...

    def machines(self, codebase: Codebase) -> list[Machine]:
        """The connected workers that take its tasks, and the one that has its folder, connected or not."""
        ...

    def why_each_waits(self, tasks: Collection[Task]) -> Mapping[uuid.UUID, Any]:
        """A `Reason` for each pending task."""
        ...


class Nothing:
    """No worker is known."""

    def is_served(self) -> Combinable:
        return Value(False)

    def machines(self, codebase: Codebase) -> list[Machine]:
        return []

    def why_each_waits(self, tasks: Collection[Task]) -> Mapping[uuid.UUID, Any]:
        return {}
