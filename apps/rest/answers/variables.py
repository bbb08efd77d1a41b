"""Answers about variables."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Paged


class Variable(BaseModel):
    """`value` is null for a secret: no answer holds it. `codebase_id` is null where it counts in the workspace."""

    name: str
    kind: Literal["variable", "secret"]
    value: str | None
    codebase_id: str | None
    description: str
    agent_types: list[str]
    set_by: str
    created_at: datetime
    updated_at: datetime


class VariablePage(Paged):
    variables: list[Variable]


class VariableSet(Done):
    variable: Variable
