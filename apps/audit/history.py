"""Row history: what a row that operators change was before, kept by triggers (django-pghistory), so that no way to
write it is missed. The trail says that somebody did something; the history says what the row held then.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import pghistory
import pgtrigger
from django.db import models, transaction

from apps.core.caller import caller
from apps.core.prepared import execute

_TELL = "SELECT set_config('pghistory.context_metadata', %(told)s::text, true)"
UPDATE_OF: Any = pgtrigger.UpdateOf  # which has no types
_WORDS = {"insert": "made", "update": "changed", "delete": "removed"}


def history_of(model: type[models.Model], *fields: str) -> Any:
    """The base of a model that keeps these fields of each state of `model`'s rows; a subclass is `append_only`.

    Fields that hold what a secret could be known by are left out. A statement that writes none of the fields does not
    reach the trigger, so a counter in the same row costs nothing more than before.
    """
    columns = [model._meta.get_field(name).column for name in fields]  # type: ignore[union-attr]  # all are columns
    written = pghistory.UpdateEvent(
        operation=UPDATE_OF(*columns), condition=pgtrigger.AnyChange(), trigger_name="update_update"
    )
    return pghistory.create_event_model(
        model,
        pghistory.InsertEvent(),
        written,
        pghistory.DeleteEvent(),
        fields=list(fields),
        context_field=pghistory.ContextJSONField(),
        context_id_field=None,  # type: ignore[arg-type]  # as its documentation has it
    )


@contextmanager
def deed(by: str = "") -> Iterator[None]:
    """A transaction in which the history knows who changes rows: `by`, else whoever calls."""
    here = caller()
    told = {"by": by or here.name, "address": here.address, "request_id": here.request_id}
    with transaction.atomic():
        execute(_TELL, {"told": orjson.dumps(told).decode()})
        yield


@dataclass(frozen=True, slots=True)
class State:
    """What became of a row: when, what was done, by whom (empty: a worker, or the server), and what each field that is
    another than before was and is."""

    at: datetime
    what: str
    by: str
    address: str
    changed: list[tuple[str, Any, Any]]


def states_of(history: Any, row_id: object) -> list[State]:
    """A row's history, newest first; `history` is its model."""
    told, before = [], None
    for event in history.objects.filter(pgh_obj_id=row_id).order_by("pgh_id"):
        said = event.pgh_context or {}
        changed = _changed(before, event)
        what = _WORDS[event.pgh_label]
        told.append(State(event.pgh_created_at, what, said.get("by", ""), said.get("address", ""), changed))
        before = event
    return told[::-1]


def _changed(before: Any, event: Any) -> list[tuple[str, Any, Any]]:
    names = [field.attname for field in event._meta.concrete_fields if not field.name.startswith("pgh_")]
    found = [(name, _plain(getattr(before, name, None)), _plain(getattr(event, name))) for name in names]
    return [(name, was, now) for name, was, now in found if was != now]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value
