"""How many rows a list has, where nobody wants to pay for reading them all."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

COUNT_LIMIT = 10_000
"""Lists are counted no further."""


@dataclass(frozen=True, slots=True)
class Counted:
    """`is_capped`: there are more than `number`."""

    number: int
    is_capped: bool = False


def counted(rows: QuerySet[Any]) -> Counted:
    """How many rows a query finds, COUNT_LIMIT at most: what is beyond is not read."""
    found = rows.order_by()[: COUNT_LIMIT + 1].count()
    return Counted(min(found, COUNT_LIMIT), found > COUNT_LIMIT)
