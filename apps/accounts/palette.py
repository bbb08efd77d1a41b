"""What the command palette (Ctrl-K) finds: rows of those pages that take part, in the person's workspaces only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Any]
else:
    Base = object

ROWS = 6
"""At most so many of each kind: who wants more looks at the list."""


@dataclass(frozen=True, slots=True)
class Found:
    """One line: what it is called, a word or two about it, where it is."""

    title: str
    description: str
    link: str
    icon: str


class Sought(Base):
    """A ModelAdmin whose rows the palette finds where it has a `palette_icon`."""

    palette_icon: ClassVar[str] = ""

    def palette_rows(self, request: HttpRequest, words: str) -> Iterable[Any]:
        """The rows that match, ROWS at most, read by an index wherever the table may be big. By default its search's:
        right for small tables only."""
        rows, _ = self.get_search_results(request, self.get_queryset(request), words)
        return list(rows[:ROWS])

    def palette_note(self, row: Any) -> str:
        """What tells a row from others of its name."""
        return ""

    def palette_found(self, request: HttpRequest, words: str) -> list[Found]:
        """What it has to offer to this person."""
        if not self.palette_icon or not self.has_view_permission(request):
            return []
        kind = str(self.opts.verbose_name).capitalize()
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return [
            Found(
                title=str(row),
                description=" · ".join(filter(None, [kind, self.palette_note(row)])),
                link=reverse(page, args=[row.pk]),
                icon=self.palette_icon,
            )
            for row in self.palette_rows(request, words)
        ]
