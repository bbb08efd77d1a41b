"""Filters by what a task cost, when it was made, and what it requires: by an order that an index has, or among the
latest of them (`selectors.finding`)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.console import ChoiceFilter
from apps.core.ids import first_id_at
from apps.tasks.admin.finding import places
from apps.tasks.models import Task
from apps.tasks.selectors.finding import LOOKED_AT, costly_tasks, tasks_requiring
from apps.tasks.services import KEPT_BY

COSTS = ("0.10", "1", "10", "100")
CLOCKS_DIFFER = timedelta(hours=1)
"""Ids are made by a process, times by the database: so far apart they never are."""
RECENT = 1_000
NAMES_SHOWN = 100


class CostFilter(ChoiceFilter):
    title = f"cost (latest {LOOKED_AT:,})"
    parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(least, f"${least} or more") for least in COSTS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        if self.value() not in COSTS:
            return queryset
        return queryset.filter(pk__in=costly_tasks(places(request), float(self.value() or 0)))


class MadeFilter(ChoiceFilter):
    """Days begin at midnight in the reader's zone."""

    title = "when it was made"
    parameter_name = "made"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("hour", "In the last hour"), ("today", "Today"), ("week", "In the last 7 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        since = since_of(self.value())
        if since is None:
            return queryset
        return queryset.filter(id__gte=first_id_at(since - CLOCKS_DIFFER), created_at__gte=since)


class RequiresFilter(ChoiceFilter):
    """Agent programs and other capabilities that the latest tasks asked for."""

    title = "program, capability"
    parameter_name = "requires"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        latest = model_admin.get_queryset(request).order_by("-id").values_list("requires", flat=True)[:RECENT]
        names = {name for listed in latest for name in listed if not name.startswith(KEPT_BY)}
        return [(name, name) for name in sorted(names | {self.value() or ""} - {""})[:NAMES_SHOWN] if name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        name = self.value()
        return queryset.filter(pk__in=tasks_requiring(places(request), name)) if name else queryset


def since_of(word: str | None) -> datetime | None:
    """The instant at which a span of MadeFilter begins; None for any other word."""
    now = timezone.localtime()
    match word:
        case "hour":
            return now - timedelta(hours=1)
        case "today":
            return now.replace(hour=0, minute=0, second=0, microsecond=0)
        case "week":
            return now - timedelta(days=7)
        case _:
            return None
