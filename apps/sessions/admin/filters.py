"""Filters of the list of sessions. What there is to choose from is that of the latest sessions, so none costs much."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from apps.accounts.console import ChoiceFilter
from apps.sessions.models import AgentSession

RECENT = 1_000
WHEN = {
    "hour": ("In the last hour", timedelta(hours=1)),
    "day": ("In the last 24 hours", timedelta(days=1)),
    "week": ("In the last 7 days", timedelta(days=7)),
    "month": ("In the last 30 days", timedelta(days=30)),
}


class _LatelySeen(ChoiceFilter):
    """The values of one column."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        latest = model_admin.get_queryset(request).order_by("-updated_at", "-id")
        names = {*latest.values_list(self.column, flat=True)[:RECENT], self.value() or ""}
        return [(name, name) for name in sorted(names - {""})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AgentSession]) -> QuerySet[AgentSession]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class ProgramFilter(_LatelySeen):
    title = "program"
    parameter_name = "program"
    column = "source"


class KeeperFilter(_LatelySeen):
    title = "worker"
    parameter_name = "worker"
    column = "worker_id"


class ActiveFilter(ChoiceFilter):
    title = "last active"
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [*((name, words) for name, (words, _) in WHEN.items()), ("before", "Longer ago than that")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AgentSession]) -> QuerySet[AgentSession]:
        if self.value() == "before":
            return queryset.filter(updated_at__lt=Now() - WHEN["month"][1])
        known = WHEN.get(self.value() or "")
        return queryset.filter(updated_at__gte=Now() - known[1]) if known else queryset
