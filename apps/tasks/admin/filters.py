"""Filters that answer operators' questions; none reads a whole table or names another workspace's things."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from apps.accounts.console import ChoiceFilter
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.codebases.models import Codebase
from apps.tasks.admin.finding import places
from apps.tasks.models import Task
from apps.tasks.selectors.finding import LOOKED_AT, tasks_made_by
from apps.tasks.states import ASKING, HELD, State

LONG_WAIT = timedelta(minutes=15)
RECENT = 1_000
CODEBASES_SHOWN = 200


class StateFilter(ChoiceFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(str(state), str(state).replace("_", " ").capitalize()) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        return queryset.filter(state=self.value()) if self.value() in set(State) else queryset


class NeedsFilter(ChoiceFilter):
    """What to look at now."""

    title = "what needs attention"
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("person", "Needs a person"),
            ("me", "Needs me: asks, and I made it"),
            ("stuck", "Stuck: its worker vanished"),
            ("waiting", f"Waits for more than {LONG_WAIT.seconds // 60} minutes"),
            ("held", "Held by a worker"),
            ("open", "Not ended"),
            ("mine", f"Made by me (of the latest {LOOKED_AT:,})"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        match self.value():
            case "person":
                return queryset.filter(state__in=[str(state) for state in ASKING])
            case "me":
                asking = queryset.filter(state__in=[str(state) for state in ASKING])
                return asking.filter(created_by=request.user.get_username())
            case "stuck":
                return queryset.filter(state__in=[str(state) for state in HELD], lease_expires_at__lt=Now())
            case "waiting":
                return queryset.filter(state=State.PENDING, available_at__lt=Now() - LONG_WAIT)
            case "held":
                return queryset.filter(state__in=[str(state) for state in HELD])
            case "open":
                # what waits and what is held have an index each, and no one has both
                return queryset.filter(Q(state=State.PENDING) | Q(state__in=[str(state) for state in HELD]))
            case "mine":
                return queryset.filter(pk__in=tasks_made_by(places(request), request.user.get_username()))
            case _:
                return queryset


class CodebaseFilter(ChoiceFilter):
    """The codebases that the person may see; one that is asked for by its id works though it is not listed."""

    title = "codebase"
    parameter_name = "codebase"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        seen = reach_of(request).narrowed(Codebase.objects.order_by("name"), Scope.CODEBASES_READ, "workspace_id")
        return list(seen.values_list("id", "name")[:CODEBASES_SHOWN])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        return queryset.filter(codebase=self.value()) if self.value() else queryset


class AgentTypeFilter(ChoiceFilter):
    """The kinds of agent that the latest tasks asked for."""

    title = "agent type"
    parameter_name = "agent_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        latest = model_admin.get_queryset(request).order_by("-id").values_list("agent_type", flat=True)[:RECENT]
        return [(name, name) for name in sorted(set(latest))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        return queryset.filter(agent_type=self.value()) if self.value() else queryset


class WorkerFilter(ChoiceFilter):
    """Reached from a worker's page; it lists only the worker that is asked for."""

    title = "worker"
    parameter_name = "worker"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        held = model_admin.get_queryset(request).filter(state__in=[str(state) for state in HELD]).order_by()
        names = {*held.values_list("worker_id", flat=True).distinct()[:CODEBASES_SHOWN], self.value() or ""}
        return [(name, name) for name in sorted(names - {""})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        return queryset.filter(worker_id=self.value()) if self.value() else queryset


class SessionFilter(ChoiceFilter):
    """Reached from a session's page; it lists only the session that is asked for."""

    title = "session"
    parameter_name = "session"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(self.value() or "", self.value() or "")] if self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        # the index of sessions holds those alone, so the query has to say that it wants no others
        return queryset.exclude(session_id="").filter(session_id=self.value()) if self.value() else queryset
