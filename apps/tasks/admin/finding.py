"""How the palette finds tasks: by the beginning of an id, which the primary key orders, or by words of late titles."""

import re
import uuid
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from apps.accounts.console import WorkspaceAdmin
from apps.accounts.palette import ROWS
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.tasks.models import Task
from apps.tasks.selectors.finding import titled_tasks

WORKSPACES = 200
_ID_BEGINS = re.compile(r"[0-9a-f]{4,32}", re.IGNORECASE)


class Findable(WorkspaceAdmin):
    """For the admin of tasks."""

    palette_icon = "task_alt"

    def palette_rows(self, request: HttpRequest, words: str) -> Iterable[Any]:
        named = self.get_queryset(request).select_related("codebase")
        rows = list(named.filter(id__range=beginning).order_by("-id")[:ROWS]) if (beginning := begun(words)) else []
        titled = titled_tasks(places(request), words.split(), ROWS)
        more = named.filter(pk__in=titled).exclude(pk__in=[task.pk for task in rows]).order_by("-id")
        return [*rows, *more][:ROWS]

    def palette_note(self, row: Task) -> str:
        return " · ".join(filter(None, [row.state.replace("_", " "), row.codebase.name if row.codebase else ""]))


def begun(words: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and the last id that begin with what was written; None for what no id begins with."""
    digits = words.replace("-", "")
    if not _ID_BEGINS.fullmatch(digits):
        return None
    return uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))


def places(request: HttpRequest) -> list[uuid.UUID]:
    """The workspaces whose tasks the person sees, the oldest WORKSPACES at most."""
    return list(reach_of(request).workspaces(Scope.TASKS_READ).values_list("id", flat=True)[:WORKSPACES])
