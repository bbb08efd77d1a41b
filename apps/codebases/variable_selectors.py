"""Reading variables. Only `environments_for` opens secrets, for the worker that holds the tasks."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db.models import F, Q, QuerySet

from apps.codebases.models import Variable
from apps.core.errors import NotFoundError, UnavailableError
from apps.core.sealing import opened


def variables_of(workspace_id: uuid.UUID, codebase_id: str | None) -> QuerySet[Variable]:
    """A codebase's own variables by name; with None the workspace's, which count in all its codebases."""
    return Variable.objects.filter(workspace_id=workspace_id, codebase_id=codebase_id)


def variable_get(*, workspace_id: uuid.UUID, codebase_id: str | None, name: str, for_update: bool = False) -> Variable:
    """The variable, or NotFoundError."""
    found = variables_of(workspace_id, codebase_id).filter(name=name)
    variable = (found.select_for_update(no_key=True) if for_update else found).first()
    if variable is None:
        raise NotFoundError("There is no such variable.", code="variable_not_found")
    return variable


def variable_facts(variable: Variable) -> dict[str, Any]:
    """A variable as clients see it; of a secret, all but the value."""
    return {
        "name": variable.name,
        "kind": variable.kind,
        "value": None if variable.kind == Variable.Kind.SECRET else variable.value,
        "codebase_id": variable.codebase_id,
        "description": variable.description,
        "agent_types": variable.agent_types,
        "set_by": variable.set_by,
        "created_at": variable.created_at,
        "updated_at": variable.updated_at,
    }


class Wanting(Protocol):
    """What of a task decides which variables it gets."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def codebase_id(self) -> str | None: ...
    @property
    def agent_type(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Environment:
    """What an agent gets on top of its worker's environment; `secrets` are the names of those that must not be told.

    `trouble` is why a secret cannot be opened; then nothing of it may be used.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Sequence[str] = ()
    trouble: str = ""


def environments_for(workspace_id: uuid.UUID, tasks: Sequence[Wanting]) -> dict[uuid.UUID, Environment]:
    """The environments of tasks of one workspace, by their ids: one query. A codebase's variables win."""
    codebases = {task.codebase_id for task in tasks if task.codebase_id}
    where = Q(codebase=None) | Q(codebase_id__in=codebases)
    there = Variable.objects.filter(where, workspace_id=workspace_id)
    found = list(there.order_by(F("codebase").asc(nulls_first=True), "name"))
    return {task.id: _environment(found, task) for task in tasks}


def _environment(found: Iterable[Variable], task: Wanting) -> Environment:
    chosen = {one.name: one for one in found if one.codebase_id in (None, task.codebase_id)}
    used = [one for one in chosen.values() if not one.agent_types or task.agent_type in one.agent_types]
    values: dict[str, str] = {}
    for one in used:
        try:
            values[one.name] = opened(one, "sealed_value") if one.kind == Variable.Kind.SECRET else one.value
        except UnavailableError as error:
            return Environment(trouble=f"{one.name} cannot be opened. {error.detail}")
    return Environment(values, [one.name for one in used if one.kind == Variable.Kind.SECRET])
