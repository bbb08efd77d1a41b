"""Sealing anew, under the present key, what stands under an earlier one: in all sealed columns there are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction

from apps.core.errors import UnavailableError
from apps.core.sealing import SealedField, is_current, opened, sealed


@dataclass(slots=True)
class Resealed:
    """How many secrets were sealed anew, and which could not be opened: `table id column`."""

    done: int = 0
    lost: list[str] = field(default_factory=list)


def secrets_reseal() -> Resealed:
    """Seal anew whatever is not sealed under the present key. Each row for itself; run it as often as you like."""
    found = Resealed()
    for model, name in sealed_columns():
        purpose = model._meta.get_field(name).purpose  # type: ignore[union-attr]
        for key, kept in model._default_manager.exclude(**{name: ""}).values_list("pk", name).iterator():
            if not is_current(kept, purpose=purpose):
                _reseal(model, name, key, found)
    return found


def sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every sealed column of every installed app: (model, name)."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, SealedField):
                yield model, column.name


def _reseal(model: type[models.Model], name: str, key: Any, found: Resealed) -> None:
    with transaction.atomic():
        row: Any = model._default_manager.select_for_update(no_key=True).filter(pk=key).first()
        if row is None:  # removed meanwhile
            return
        try:
            secret = opened(row, name)
        except UnavailableError:
            found.lost.append(f"{model._meta.db_table} {key} {name}")
            return
        model._default_manager.filter(pk=key).update(**{name: sealed(row, name, secret)})
        found.done += 1
