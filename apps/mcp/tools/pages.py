"""Parts of lists: the cursor of each list names the last thing that was shown, so nothing new moves what follows."""

from typing import Any

from django.db.models import Model, QuerySet

from apps.core.counting import Counted, counted
from apps.core.errors import InvalidError


def newest_first[M: Model](
    found: QuerySet[M], *, limit: int, after: M | None, number: Counted | None = None
) -> tuple[list[M], dict[str, Any]]:
    """The next `limit` rows after `after` of what was found, newest first, and the fields of `Listed`.

    `number`: how many there are in all, where it is known.
    """
    number = number or counted(found)
    if after is not None:
        made_at = after.created_at  # type: ignore[attr-defined]
        found = found.filter(created_at__lte=made_at).exclude(created_at=made_at, pk__gte=after.pk)
    rows = list(found.order_by("-created_at", "-pk")[: limit + 1])
    shown = rows[:limit]
    more = str(shown[-1].pk) if len(rows) > limit else None
    return shown, {"total": number.number, "total_capped": number.is_capped, "next_cursor": more}


def part[T](whole: list[T], *, limit: int, cursor: str) -> tuple[list[T], dict[str, Any]]:
    """The next `limit` of a short list that is at hand as a whole; its cursor counts what was shown."""
    begin = int(cursor) if cursor.isascii() and cursor.isdecimal() and len(cursor) < 10 else 0
    if cursor and not begin:
        raise bad_cursor()
    end = begin + limit
    return whole[begin:end], {"total": len(whole), "next_cursor": str(end) if end < len(whole) else None}


def bad_cursor() -> InvalidError:
    """The refusal of a cursor that no answer has given."""
    message = "Give the next_cursor of an earlier answer as it was, or leave it out to begin anew."
    return InvalidError("This is no place in the list.", errors={"cursor": [message]})
