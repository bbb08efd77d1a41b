"""What changes variables: an admin sets and removes them. Values are in no log, no answer and no entry of the trail."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.codebases.models import Variable
from apps.codebases.selectors import codebase_get
from apps.codebases.variable_selectors import variable_get, variables_of
from apps.core.errors import ConflictError, InvalidError
from apps.core.sealing import sealed
from codetether_sessions.redaction import SHORTEST_TOLD
from codetether_sessions.variable_names import refusal_of

VARIABLES_LIMIT = 200
"""Of one codebase, and of the workspace beside them."""
VALUE_BYTES = 65_536
TOTAL_BYTES = 524_288
"""Of all that one place sets: an operating system starts no program with an environment without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariable:
    """What is said of a variable; None leaves it as it is. `kind` is a secret where nothing else is said."""

    value: str | None = field(default=None, repr=False)
    kind: str | None = None
    description: str | None = None
    agent_types: Sequence[str] | None = None


def variable_set(
    *, workspace_id: uuid.UUID, codebase_id: str | None, name: str, new: NewVariable, by: str
) -> tuple[Variable, bool]:
    """Set a variable of a codebase, or with None of the workspace; (the variable, whether it is new).

    InvalidError where the name or value cannot be one; ConflictError where there are too many; NotFoundError where
    there is no such codebase.
    """
    with deed(by):
        if codebase_id is not None:
            codebase_get(workspace_id=workspace_id, codebase_id=codebase_id)
        _check_name(name)
        _one_at_a_time(workspace_id)
        there = variables_of(workspace_id, codebase_id).filter(name=name).first()
        variable = there or Variable(workspace_id=workspace_id, codebase_id=codebase_id, name=name)
        _take(variable, new, is_new=there is None)
        variable.set_by = by[:255]
        variable.save()
        _check_room(workspace_id, codebase_id)
        _record(Action.SECRET_SET, variable, by, is_new=there is None, value_given=new.value is not None)
    return variable, there is None


def variable_remove(*, workspace_id: uuid.UUID, codebase_id: str | None, name: str, by: str) -> None:
    """Forget a variable; NotFoundError where there is none. Tasks that run keep what they were given."""
    with deed(by):
        variable = variable_get(workspace_id=workspace_id, codebase_id=codebase_id, name=name, for_update=True)
        Variable.objects.filter(pk=variable.pk).delete()
        _record(Action.SECRET_REMOVE, variable, by)


def _take(variable: Variable, new: NewVariable, *, is_new: bool) -> None:
    kind = new.kind or (Variable.Kind.SECRET if is_new else variable.kind)
    if new.value is None and (is_new or kind != variable.kind):
        raise _invalid("value", "Give the value: what is kept is not turned into the other kind.")
    if new.value is not None:
        _check_value(new.value, is_secret=kind == Variable.Kind.SECRET)
        is_secret = kind == Variable.Kind.SECRET
        variable.value = "" if is_secret else new.value
        variable.sealed_value = sealed(variable, "sealed_value", new.value) if is_secret else ""
    variable.kind = kind
    if new.description is not None:
        variable.description = new.description
    if new.agent_types is not None:
        variable.agent_types = list(dict.fromkeys(new.agent_types))


def _check_name(name: str) -> None:
    refusal = refusal_of(name)
    if refusal is not None:
        raise _invalid("name", refusal)


def _check_value(value: str, *, is_secret: bool) -> None:
    if "\0" in value:
        raise _invalid("value", "A variable's value holds no NUL.")
    if len(value.encode("utf-8", "surrogatepass")) > VALUE_BYTES:
        raise _invalid("value", f"Give at most {VALUE_BYTES} bytes.")
    if is_secret and len(value.strip()) < SHORTEST_TOLD:
        raise _invalid("value", f"A secret has at least {SHORTEST_TOLD} characters: shorter ones cannot be kept out "
                       "of texts.")  # fmt: skip


def _check_room(workspace_id: uuid.UUID, codebase_id: str | None) -> None:
    """After the change, which is undone where there is no room for it."""
    sizes = [len(one.value or one.sealed_value) for one in variables_of(workspace_id, codebase_id)]
    if len(sizes) > VARIABLES_LIMIT:
        raise ConflictError(f"There are {VARIABLES_LIMIT} already; remove one.", code="too_many_variables")
    if sum(sizes) > TOTAL_BYTES:
        message = f"Together they may hold {TOTAL_BYTES} bytes, as they are kept."
        raise ConflictError(message, code="too_many_variables")


def _one_at_a_time(workspace_id: uuid.UUID) -> None:
    """Others that set a variable of this workspace wait until this transaction ends, so that the limits hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"variables:{workspace_id}"])


def _record(action: Action, variable: Variable, by: str, **details: bool) -> None:
    """Which one, and what for; never its value, nor how long it is."""
    place = f"codebase:{variable.codebase_id}" if variable.codebase_id else "workspace"
    said = {"kind": str(variable.kind), "agent_types": variable.agent_types, **details}
    record(action, workspace_id=variable.workspace_id, by=by, target=f"{place}/{variable.name}", details=said)


def _invalid(field_name: str, message: str) -> InvalidError:
    return InvalidError(message, errors={field_name: [message]})
