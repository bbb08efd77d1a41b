"""The page of one codebase: how it is doing, its tasks and why they wait, what is around it, and work for it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from apps.accounts.console_live import LivePage
from apps.accounts.permissions import Scope
from apps.accounts.tiles import Tile
from apps.codebases.models import Codebase
from apps.codebases.policy import policy_of
from apps.codebases.variable_selectors import variables_of
from apps.core.errors import CodeTetherError
from apps.core.spending import spending
from apps.sessions.selectors import sessions_of
from apps.tasks.admin.codebase_list import STANDINGS, QueuedCodebases, bound_in_words, standing
from apps.tasks.admin.lines import lines
from apps.tasks.admin.trees import trees_left
from apps.tasks.admin.trigger import TriggerForm
from apps.tasks.models import Task
from apps.tasks.selectors import (
    LOOKED_AT,
    Spent,
    held_of_codebase,
    last_words,
    newest_of_codebase,
    next_of_codebase,
    pauses_of,
    spending_of_codebase,
)

SHOWN = 10
VARIABLES_SHOWN = 50

admin.site.unregister(Codebase)


@admin.register(Codebase)
class QueuedCodebaseAdmin(QueuedCodebases, LivePage):
    change_form_template = "admin/codebases/codebase/change_form.html"
    pieces_template = "admin/codebases/codebase/live.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.trigger_view)
        return [path("<path:object_id>/trigger/", view, name="codebases_codebase_trigger"), *super().get_urls()]

    def stream_of(self, row: Any) -> str:
        return f"/v1/opencode/codebases/{row.pk}/events"

    def shown(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        place = (row.workspace_id, row.pk)
        held, waiting = held_of_codebase(*place, SHOWN), next_of_codebase(*place, SHOWN)
        why = type(self).surroundings.why_each_waits(waiting)
        word = standing(row)
        return {
            "codebase": row,
            "standing": word,
            "tone": STANDINGS[word],
            "pause": pauses_of(workspace_id=row.workspace_id, kind="workspace").first(),
            "bound": bound_in_words(row.bound) if row.bound else "",
            "tiles": _tiles(row),
            "held": lines(held, said=last_words([task.pk for task in held])),
            "waiting": lines(waiting, notes={task_id: reason.text for task_id, reason in why.items()}),
            "left_out": row.open_task_count - len(held) - len(waiting),
            "newest": lines(newest_of_codebase(*place, SHOWN)),
            "sessions": sessions_of(*place)[:SHOWN],
            "machines": type(self).surroundings.machines(row),
            "trees": trees_left(row),
            "may_steer": self.has_steer_permission(request, row),
            "tasks_url": reverse("admin:tasks_task_changelist", query={"codebase": row.pk}),
        }

    def beside(self, request: HttpRequest, row: Any, shown: Mapping[str, Any]) -> dict[str, Any]:
        own, shared = (variables_of(row.workspace_id, key)[:VARIABLES_SHOWN] for key in (row.pk, None))
        return {
            "policy": policy_of(row.agent_config),
            "own_variables": own,
            "shared_variables": shared,
            "may_change": self.has_change_permission(request, row),
            "may_set": self.allows(request, Scope.ADMIN, row),
            "form": TriggerForm(codebase=row, machines=shown["machines"]),
        }

    def trigger_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: make a task of the form, and go to its page; back to the form where something is wrong in it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        codebase = self.get_object(request, unquote(object_id))
        if codebase is None:
            raise Http404
        if not self.has_steer_permission(request, codebase):
            raise PermissionDenied
        machines = type(self).surroundings.machines(codebase)
        form = TriggerForm(request.POST, codebase=codebase, machines=machines)
        task = _created(form, codebase, request.user.get_username()) if form.is_valid() else None
        if task is None:
            return self.page_again(request, object_id, form=form)
        messages.success(request, "The task is made.")
        return HttpResponseRedirect(reverse("admin:tasks_task_change", args=[task.pk]))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:codebases_codebase_change", args=[obj.pk]))


def _created(form: TriggerForm, codebase: Codebase, by: str) -> Task | None:
    """The task; None where the form says what is wrong."""
    try:
        return form.create(codebase, by)
    except CodeTetherError as error:
        named = {name: texts for name, texts in (error.errors or {}).items() if name in form.fields}
        for name, texts in named.items():
            form.add_error(name, list(texts))
        if not named:
            form.add_error(None, error.detail)
    return None


def _tiles(codebase: Any) -> list[Tile]:
    held = codebase.held or {"held": 0, "asking": 0}
    spent = spending_of_codebase(codebase.workspace_id, codebase.pk)
    day, week = spent.day, spent.week

    def url(**query: str) -> str:
        return reverse("admin:tasks_task_changelist", query={"codebase": codebase.pk, **query})

    waiting = codebase.open_task_count - held["held"]
    running = held["held"] - held["asking"]
    some = f"of the latest {LOOKED_AT:,}" if spent.is_capped else ""
    return [
        Tile("Running", running, url(state="running"), "info" if running else ""),
        Tile("Waiting", waiting, url(state="pending"), "warning" if codebase.is_paused and waiting else ""),
        Tile("Need input", held["asking"], url(needs="person"), "warning" if held["asking"] else ""),
        Tile("Completed", day.completed, url(state="completed"), "", "made in 24 hours"),
        Tile("Failed", day.failed, url(state="failed"), "danger" if day.failed else "", "made in 24 hours"),
        Tile("Cost, 24 hours", _cost(day), "", "", _tokens(day)),
        Tile("Cost, 7 days", _cost(week), "", "", " ".join(filter(None, [_tokens(week), some]))),
    ]


def _cost(spent: Spent) -> str:
    return f"${spent.cost_usd:,.2f}"


def _tokens(spent: Spent) -> str:
    return spending({"input_tokens": spent.input_tokens, "output_tokens": spent.output_tokens})
