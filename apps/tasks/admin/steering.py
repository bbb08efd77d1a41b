"""What a person does to tasks from their pages. Every step is a service's; here it is asked for, checked, answered."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.accounts.console import DialogForm, action, after_dialog
from apps.accounts.permissions import Scope
from apps.tasks.admin.trees import TreeActions, useful_on_tree
from apps.tasks.models import PRIORITY_LIMIT, Task
from apps.tasks.services import (
    task_answer,
    task_cancel,
    task_message,
    task_reprioritise,
    task_requeue,
    task_resume,
)
from apps.tasks.states import ASKING, TERMINAL, State, sources_of

USEFUL_IN: dict[str, frozenset[State]] = {
    "cancel": sources_of(State.CANCELLED),
    "requeue": sources_of(State.PENDING),
    "reprioritise": frozenset({State.PENDING}),
    "resume": TERMINAL,
}
"""States in which a button is shown; the service decides all the same."""


class CancelForm(DialogForm):
    reason = forms.CharField(
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Shown in the log. Optional.",
    )


class PriorityForm(DialogForm):
    priority = forms.IntegerField(
        min_value=-PRIORITY_LIMIT,
        max_value=PRIORITY_LIMIT,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Higher goes first; 0 is usual. Older tasks catch up, so nothing starves.",
    )


class ResumeForm(DialogForm):
    prompt = forms.CharField(
        required=False,
        max_length=100_000,
        widget=UnfoldAdminTextareaWidget(),
        help_text="What to do now. Empty: the same as before.",
    )


class SayForm(forms.Form):
    """The page's own form: an answer (perhaps by one of the question's options) or a message."""

    verb = forms.ChoiceField(choices=[("answer", "Answer"), ("message", "Message"), ("interrupt", "Interrupt")])
    message = forms.CharField(max_length=100_000, required=False, strip=False)
    option = forms.CharField(max_length=200, required=False)
    call_id = forms.CharField(max_length=200, required=False)
    back = forms.BooleanField(required=False, help_text="To the first page, where it was said.")


class Steering(TreeActions):
    """The actions, for one task."""

    actions_detail = ("merge", "discard", "resume", "requeue", "reprioritise", "cancel")

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.TASKS_WRITE, obj)

    def get_urls(self) -> list[URLPattern]:
        say = path("<path:object_id>/say/", self.admin_site.admin_view(self.say_view), name="tasks_task_say")
        return [say, *super().get_urls()]

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Those that do something in the task's present state, for who may."""
        task = self.get_object(request, unquote(object_id))
        state = State(task.state) if task else None
        listed: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        useful = {name for name, states in USEFUL_IN.items() if state in states} | useful_on_tree(task)
        return [entry for entry in listed if entry.action_name.rpartition("_")[2] in useful]

    @action(
        description="Cancel",
        permissions=["steer"],
        variant="danger",
        icon="cancel",
        dialog={
            "title": "Cancel this task?",
            "description": "It ends now. Its worker hears of it within one heartbeat; nothing it sends later counts.",
            "form_class": CancelForm,
            "form_submit_text": "Cancel the task",
        },
    )
    def cancel(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        return self._steer(request, object_id, partial(task_cancel, reason=reason), "The task is cancelled.")

    @action(
        description="Requeue",
        permissions=["steer"],
        icon="replay",
        dialog={
            "title": "Put this task back in the queue?",
            "description": "Its present claim is void, and the next free worker takes it. This burns no attempt.",
            "form_class": DialogForm,
            "form_submit_text": "Requeue",
        },
    )
    def requeue(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._steer(request, object_id, task_requeue, "The task is back in the queue.")

    @action(
        description="Priority",
        permissions=["steer"],
        icon="low_priority",
        dialog={
            "title": "Change the priority",
            "form_class": PriorityForm,
            "form_submit_text": "Change",
        },
    )
    def reprioritise(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        priority = form.cleaned_data["priority"]
        service = partial(task_reprioritise, priority=priority)
        return self._steer(request, object_id, service, f"The task's priority is {priority} now.")

    @action(
        description="Resume",
        permissions=["steer"],
        icon="play_arrow",
        dialog={
            "title": "Go on with this in a new task?",
            "description": "It has this task's codebase, agent and model, and its session where there is one.",
            "form_class": ResumeForm,
            "form_submit_text": "Resume as a new task",
        },
    )
    def resume(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        task = self.get_object(request, unquote(object_id))
        if task is None:
            raise Http404
        made: list[Task] = []
        prompt = form.cleaned_data["prompt"]
        self.attempt(
            request,
            lambda: made.append(task_resume(**named(request, task), prompt=prompt)),
            "This new task goes on with it.",
        )
        return after_dialog(reverse("admin:tasks_task_change", args=[(made or [task])[0].pk]))

    def _steer(self, request: HttpRequest, object_id: str, service: Callable[..., Task], done: str) -> HttpResponse:
        task = self.get_object(request, unquote(object_id))
        if task is None:
            raise Http404
        self.attempt(request, lambda: service(**named(request, task)), done)
        return after_dialog(reverse("admin:tasks_task_change", args=[task.pk]))

    def say_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: speak to the task, or answer it; back to its page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        task = self.get_object(request, unquote(object_id))
        if task is None:
            raise Http404
        if not self.has_steer_permission(request, task):
            raise PermissionDenied
        form = SayForm(request.POST)
        if form.is_valid():
            self._say(request, task, form.cleaned_data)
        else:
            messages.error(request, " ".join(str(message) for listed in form.errors.values() for message in listed))
        if form.is_valid() and form.cleaned_data["back"]:
            return HttpResponseRedirect(reverse("admin:index", query={"workspace": task.workspace.slug}))
        return HttpResponseRedirect(reverse("admin:tasks_task_change", args=[task.pk]))

    def _say(self, request: HttpRequest, task: Task, said: dict[str, str]) -> None:
        whom = named(request, task)
        if said["verb"] == "answer":
            data = {
                name: said[field] for name, field in (("option_id", "option"), ("call_id", "call_id")) if said[field]
            }
            self.attempt(
                request, lambda: task_answer(**whom, message=said["message"], data=data), "The answer is on its way."
            )
        else:
            interrupt = said["verb"] == "interrupt"
            self.attempt(
                request,
                lambda: task_message(**whom, message=said["message"], interrupt=interrupt),
                "The interrupt is on its way." if interrupt else "The message is on its way.",
            )


def named(request: HttpRequest, task: Task) -> dict[str, Any]:
    """What every service of steering asks for."""
    return {"workspace_id": task.workspace_id, "task_id": task.pk, "by": request.user.get_username()}


def is_asking(task: Task) -> bool:
    return State(task.state) in ASKING
