"""Rows of hand-written statements as model instances, and values as the columns hold them."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS
from django.db.models.base import ModelState

from apps.tasks.models import Task
from apps.tasks.states import State

COLUMNS = [field.attname for field in Task._meta.concrete_fields]
SELECTED = ", ".join(f"t.{name}" for name in COLUMNS)
"""The columns of table `t` in the order that `as_task` takes them."""
LIGHT_COLUMNS = [
    "id", "workspace_id", "codebase_id", "queue", "state", "attempt", "worker_id", "session_id", "last_seq",
    "client_seq",
]  # fmt: skip
SELECTED_LIGHT = ", ".join(f"t.{name}" for name in LIGHT_COLUMNS)
"""What must be known of a task that was only reported of; a `Task` of these loads the others when it is asked."""
JSON_COLUMNS = ("metadata", "usage")
MADE_THERE = ("position", "rank", "created_at", "updated_at", "moved_at", "available_at", "deadline_at")
"""Columns of a new task whose values only the database knows."""


def as_task(row: Sequence[Any], columns: Sequence[str] = COLUMNS) -> Task:
    """The model instance of a row in the order of the model's columns."""
    return _loaded(dict(zip(columns, row, strict=True)))


def _loaded(values: dict[str, Any]) -> Task:
    """What `Task.from_db` makes of a row, without going through each field's descriptor: a claim of ten is 400 fields.

    JSON comes as text here, as Django asks of its connections.
    """
    for name in JSON_COLUMNS:
        value = values.get(name)
        if type(value) is str:
            values[name] = orjson.loads(value) if value != "{}" else {}
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    values["_state"] = state
    task = Task.__new__(Task)
    task.__dict__ = values
    return task


def as_new_task(values: Mapping[str, Any], made_there: Sequence[Any]) -> Task:
    """The model instance of a row that was just inserted, without reading it back: `made_there` as MADE_THERE."""
    return _loaded({**_at_birth(), **values, **dict(zip(MADE_THERE, made_there, strict=True))})


def _at_birth() -> dict[str, Any]:
    """What a new task's row holds in the columns that nobody chooses (`statements.insert` writes the same)."""
    return {
        "state": str(State.PENDING),
        "last_seq": 1,
        "last_steering_seq": 0,
        "heard_seq": 0,
        "attempt": 0,
        "declined_by": [],
        "limit_ids": [],
        "worker_id": "",
        "claim_token": None,
        "claim_seq": 0,
        "client_seq": 0,
        "lease_expires_at": None,
        "result": "",
        "error": "",
        "error_code": "",
        "usage": {},
        "started_at": None,
        "completed_at": None,
        "compacted_at": None,
    }


def as_json(value: object) -> str:
    """JSON text for a jsonb column."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
