"""What a person does to many tasks at once. It asks first, with the number; one task that refuses stops no other."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.accounts.console import action
from apps.core.errors import CodeTetherError
from apps.tasks.admin.steering import Steering, named
from apps.tasks.models import PRIORITY_LIMIT, Task
from apps.tasks.services import task_cancel, task_reprioritise, task_requeue, task_resume

MOST_AT_ONCE = 500
"""Tasks that one press of a button steers: some seconds of work. Whoever chose more is told, and presses again."""
SHOWN = 20
"""Titles on the page that asks."""
NOT_ALLOWED = "you may not do this in their workspace"


class CancelAll(forms.Form):
    reason = forms.CharField(
        required=False, max_length=500, widget=UnfoldAdminTextInputWidget(), help_text="Shown in their logs. Optional."
    )


class ReprioritiseAll(forms.Form):
    priority = forms.IntegerField(
        min_value=-PRIORITY_LIMIT,
        max_value=PRIORITY_LIMIT,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Higher goes first; 0 is usual. Only tasks that wait have a place in the queue to change.",
    )


class ResumeAll(forms.Form):
    prompt = forms.CharField(
        required=False,
        max_length=100_000,
        widget=UnfoldAdminTextareaWidget(),
        help_text="What to do now, for each of them. Empty: what each was asked before.",
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """One of the actions: the service that does it to one task, and the words around it."""

    name: str
    service: Callable[..., Task]
    verb: str
    warning: str
    done: str
    form: type[forms.Form] = forms.Form
    tone: str = "ct-primary"


CANCEL = Deed(
    "cancel_selected", task_cancel, "Cancel",
    "They end now. Their workers hear of it within one heartbeat, and nothing that they send later counts. What is "
    "cancelled stays so.", "cancelled", CancelAll, "ct-red",
)  # fmt: skip
REQUEUE = Deed(
    "requeue_selected", task_requeue, "Requeue",
    "Their present claims are void, and the next free workers take them. This burns no attempt.", "back in the queue",
)  # fmt: skip
RESUME = Deed(
    "resume_selected", task_resume, "Resume",
    "Each that has ended is gone on with in a new task: with its codebase, agent and model, and its session where "
    "there is one.", "gone on with in a new task", ResumeAll,
)  # fmt: skip
REPRIORITISE = Deed(
    "reprioritise_selected", task_reprioritise, "Change the priority of",
    "Those that wait take another place in the queue.", "at another priority", ReprioritiseAll,
)  # fmt: skip


class Bulk(Steering):
    """The actions of the list."""

    actions = (REQUEUE.name, RESUME.name, REPRIORITISE.name, CANCEL.name)
    list_disable_select_all = False

    @action(description="Requeue the selected tasks", permissions=["steer"])
    def requeue_selected(self, request: HttpRequest, queryset: QuerySet[Task]) -> HttpResponse | None:
        return self._bulk(request, queryset, REQUEUE)

    @action(description="Resume the selected tasks in new ones", permissions=["steer"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Task]) -> HttpResponse | None:
        return self._bulk(request, queryset, RESUME)

    @action(description="Change the priority of the selected tasks", permissions=["steer"])
    def reprioritise_selected(self, request: HttpRequest, queryset: QuerySet[Task]) -> HttpResponse | None:
        return self._bulk(request, queryset, REPRIORITISE)

    @action(description="Cancel the selected tasks", permissions=["steer"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Task]) -> HttpResponse | None:
        return self._bulk(request, queryset, CANCEL)

    def _bulk(self, request: HttpRequest, chosen: QuerySet[Task], deed: Deed) -> HttpResponse | None:
        """The page that asks; once that is confirmed, the deed, on the very tasks that the page named."""
        tasks = list(chosen.select_related("workspace")[: MOST_AT_ONCE + 1])
        is_confirmed = "confirmed" in request.POST
        form = deed.form(request.POST) if is_confirmed else deed.form()
        if is_confirmed and form.is_valid():
            self._do(request, tasks[:MOST_AT_ONCE], deed, form.cleaned_data)
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{deed.verb} these tasks?",
            "tasks": tasks[:MOST_AT_ONCE],
            "shown": f":{SHOWN}",
            "left_out": max(0, min(len(tasks), MOST_AT_ONCE) - SHOWN),
            "is_capped": len(tasks) > MOST_AT_ONCE,
            "states": Counter(task.state.replace("_", " ") for task in tasks[:MOST_AT_ONCE]).most_common(),
            "deed": deed,
            "form": form,
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/tasks/task/confirm_bulk.html", context)

    def _do(self, request: HttpRequest, tasks: Iterable[Task], deed: Deed, said: dict[str, Any]) -> None:
        count, refused = 0, Counter[str]()
        for task in tasks:
            if not self.has_steer_permission(request, task):
                refused[NOT_ALLOWED] += 1
                continue
            try:
                deed.service(**named(request, task), **said)
            except CodeTetherError as error:
                refused[error.detail] += 1
            else:
                count += 1
        refused["no longer in this list"] = len(request.POST.getlist(ACTION_CHECKBOX_NAME)) - count - refused.total()
        if count:
            messages.success(request, f"{_number(count)} {deed.done}.")
        for why, number in refused.items():
            if number > 0:
                messages.warning(request, f"{_number(number)} left alone: {why.rstrip('.')}.")


def _number(count: int) -> str:
    return "1 task is" if count == 1 else f"{count:,} tasks are"
