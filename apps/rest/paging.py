"""Parts of lists."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model, QuerySet

from apps.rest.queries import Page


def page_of[M: Model](
    found: QuerySet[M], page: Page, name: str, render: Callable[[M], dict[str, Any]]
) -> dict[str, Any]:
    """`{name: [...], total, limit, offset}` of what was found."""
    rows = [render(row) for row in found[page.offset : page.offset + page.limit]]
    return {name: rows, "total": found.count(), "limit": page.limit, "offset": page.offset}
