"""Parts of lists."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model, QuerySet

from apps.core.counting import Counted, counted
from apps.rest.queries import Page


def page_of[M: Model](
    found: QuerySet[M], page: Page, name: str, render: Callable[[M], dict[str, Any]], number: Counted | None = None
) -> dict[str, Any]:
    """`{name: [...], total, total_capped, limit, offset}` of what was found; `number`: how many, where it is known."""
    rows = [render(row) for row in found[page.offset : page.offset + page.limit]]
    return paged(rows, page, name, number or counted(found))


def paged(rows: list[dict[str, Any]], page: Page, name: str, number: Counted) -> dict[str, Any]:
    """The same of rows that are that part already."""
    total = {"total": number.number, "total_capped": number.is_capped}
    return {name: rows, **total, "limit": page.limit, "offset": page.offset}
