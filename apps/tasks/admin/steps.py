"""What the first page does to a task by one press of a button, without a dialog between; back there afterwards."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from apps.tasks.admin.steering import Steering, named
from apps.tasks.models import Task
from apps.tasks.services import task_requeue, task_resume

STEPS: dict[str, tuple[Callable[..., Task], str]] = {
    "requeue": (task_requeue, "The task is back in the queue."),
    "resume": (task_resume, "A new task goes on with it."),
}


class Steps(Steering):
    """The view, for the admin of tasks."""

    def get_urls(self) -> list[URLPattern]:
        step = path("<path:object_id>/step/", self.admin_site.admin_view(self.step_view), name="tasks_task_step")
        return [step, *super().get_urls()]

    def step_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST `verb`: one of STEPS."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        task: Any = self.get_object(request, unquote(object_id))
        known = STEPS.get(request.POST.get("verb", ""))
        if task is None or known is None:
            raise Http404
        if not self.has_steer_permission(request, task):
            raise PermissionDenied
        service, done = known
        self.attempt(request, lambda: service(**named(request, task)), done)
        return HttpResponseRedirect(reverse("admin:index", query={"workspace": task.workspace.slug}))
