"""Parts of lists: the cursor of each list names the last thing that was shown, so nothing new moves what follows."""

from typing import Any

from django.db.models import Model, QuerySet

from apps.core.counting import Counted
from apps.core.errors import InvalidError


def newest_first[M: Model](found: QuerySet[M], *, limit: int, after: M | None) -> tuple[list[M], str | None]:
    """The next `limit` rows after `after` of what was found, newest first, and the cursor that goes on."""
    if after is not None:
        made_at = after.created_at  # type: ignore[attr-defined]
        found = found.filter(created_at__lte=made_at).exclude(created_at=made_at, pk__gte=after.pk)
    rows = list(found.order_by("-created_at", "-pk")[: limit + 1])
    shown = rows[:limit]
    return shown, str(shown[-1].pk) if len(rows) > limit else None


def place(number: Counted, next_cursor: str | None) -> dict[str, Any]:
    """The fields of `Listed`."""
    return {"total": number.number, "total_capped": number.is_capped, "next_cursor": next_cursor}


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
