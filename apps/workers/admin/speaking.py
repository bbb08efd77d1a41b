"""Speaking to a worker's agents from its page, as `/v1/monitor/intervene` lets programs, whatever they work on."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from apps.workers.admin.workers import ListedWorkers
from apps.workers.models import Worker
from apps.workers.monitor import agent_message

MESSAGE_LENGTH = 100_000


class SpeakForm(forms.Form):
    """`agent` is an instance of one of the worker's agents, or the worker's id: all that it works on hears then."""

    agent = forms.ChoiceField()
    message = forms.CharField(max_length=MESSAGE_LENGTH, strip=False)

    def __init__(self, worker: Worker, *args: Any) -> None:
        super().__init__(*args)
        self.fields["agent"] = forms.ChoiceField(choices=listeners(worker))


def listeners(worker: Worker) -> list[tuple[str, str]]:
    """Who can be spoken to there: (id, words)."""
    agents = [(agent["instance"], agent["role"]) for agent in worker.agents if agent.get("instance")]
    return [(worker.worker_id, "All that it works on"), *agents]


class Speaking(ListedWorkers):
    """The view, for the admin of workers."""

    def get_urls(self) -> list[URLPattern]:
        say = path("<path:object_id>/say/", self.admin_site.admin_view(self.say_view), name="workers_worker_say")
        return [say, *super().get_urls()]

    def say_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST `agent`, `message`; to the task that heard it, or back where it was several or none."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        worker: Any = self.get_object(request, unquote(object_id))
        if worker is None:
            raise Http404
        if not self.has_steer_permission(request, worker):
            raise PermissionDenied
        heard = self._say(request, worker)
        if len(heard) == 1:
            return HttpResponseRedirect(reverse("admin:tasks_task_change", args=[heard[0].pk]))
        return HttpResponseRedirect(reverse("admin:workers_worker_change", args=[worker.pk]))

    def _say(self, request: HttpRequest, worker: Worker) -> list[Any]:
        form, heard = SpeakForm(worker, request.POST), list[Any]()
        if not form.is_valid():
            messages.error(request, "Choose who shall hear it, and give a text.")
            return heard
        whom = {"workspace_id": worker.workspace_id, "agent_id": form.cleaned_data["agent"]}
        by, message = request.user.get_username(), form.cleaned_data["message"]
        done = "It is in the log, and on its way to the agent."
        self.attempt(request, lambda: heard.extend(agent_message(**whom, message=message, by=by)), done)
        return heard
