"""The pages of sessions as the heart fills them out: the tasks that ran in them, and going on with one."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import display
from apps.accounts.permissions import Scope
from apps.sessions.admin import SessionAdmin
from apps.sessions.models import AgentSession
from apps.tasks.admin.filters import CodebaseFilter
from apps.tasks.admin.lines import STATE_TONES
from apps.tasks.models import PRIORITY_LIMIT, Task
from apps.tasks.services import NAME_LIMIT, Wish, session_fork, session_resume

TASKS_SHOWN = 10
FORKING = frozenset({"opencode", "claude", "codex"})
"""Programs that can begin a session with another's history; for others the button would only lead to a failure."""
BEGINNINGS = {
    "resume": (session_resume, "This new task goes on with the session."),
    "fork": (session_fork, "This new task begins a session with that one's history."),
}

admin.site.unregister(AgentSession)


class ResumeForm(forms.Form):
    """What a person wants done in a session."""

    verb = forms.ChoiceField(choices=[("resume", "Resume"), ("fork", "Fork")])
    prompt = forms.CharField(max_length=100_000)
    agent_type = forms.ChoiceField(
        required=False,
        choices=[("", "As usual (build)"), ("plan", "Plan"), ("explore", "Explore"), ("general", "General")],
    )
    model = forms.CharField(required=False, max_length=NAME_LIMIT)
    priority = forms.IntegerField(required=False, min_value=-PRIORITY_LIMIT, max_value=PRIORITY_LIMIT)

    @property
    def wish(self) -> Wish:
        said = self.cleaned_data
        return Wish(
            prompt=said["prompt"],
            agent_type=said["agent_type"],
            model=said["model"],
            priority=said["priority"] or 0,
        )


@admin.register(AgentSession)
class WorkedSessionAdmin(SessionAdmin):
    list_display: tuple[str, ...] = (*SessionAdmin.list_display, "tasks")
    list_filter: ClassVar[tuple[Any, ...]] = (
        *SessionAdmin.list_filter[:1],
        CodebaseFilter,
        *SessionAdmin.list_filter[1:],
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        inside = Task.objects.filter(
            workspace=OuterRef("workspace"), session_id=OuterRef("session_id"), codebase=OuterRef("codebase")
        ).exclude(session_id="")  # the index of sessions holds those alone
        counted = inside.order_by().values("session_id").annotate(number=Count("pk")).values("number")
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(task_count=Coalesce(Subquery(counted), 0))
        return found

    @display(description="Tasks")
    def tasks(self, session: Any) -> SafeString | str:
        """A link to those that ran in it, worded by how many."""
        if not session.task_count:
            return "none"
        return format_html('<a class="ct-link" href="{}">{}</a>', tasks_url(session), session.task_count)

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Scope.TASKS_WRITE, obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.resume_view)
        return [path("<path:object_id>/resume/", view, name="agent_sessions_session_resume"), *super().get_urls()]

    def head(self, request: HttpRequest, session: AgentSession) -> dict[str, Any]:
        inside = tasks_in(session)
        shown = list(inside.order_by("-created_at").defer("metadata", "prompt", "result")[: TASKS_SHOWN + 1])
        return {
            **super().head(request, session),
            "tasks": [(task, STATE_TONES[task.state]) for task in shown[:TASKS_SHOWN]],
            "more_tasks": tasks_url(session) if len(shown) > TASKS_SHOWN else "",
            "may_fork": session.source in FORKING,
            "resume_form": ResumeForm() if self.has_steer_permission(request, session) else None,
        }

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: make a task that goes on with the session, or with a fork of it; to that task's page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        session = self.get_object(request, unquote(object_id))
        if session is None:
            raise Http404
        if not self.has_steer_permission(request, session):
            raise PermissionDenied
        task = self._begun(request, session, ResumeForm(request.POST))
        page = "tasks_task" if task else "agent_sessions_agentsession"
        return HttpResponseRedirect(reverse(f"admin:{page}_change", args=[task.pk if task else session.pk]))

    def _begun(self, request: HttpRequest, session: AgentSession, form: ResumeForm) -> Task | None:
        if not form.is_valid():
            wrong = [f"{name}: {said}" for name, listed in form.errors.items() for said in listed]
            messages.error(request, " ".join(wrong))
            return None
        begin, done = BEGINNINGS[form.cleaned_data["verb"]]
        made: list[Task] = []
        by = request.user.get_username()
        self.attempt(request, lambda: made.append(begin(session=session, wish=form.wish, by=by)), done)
        return made[0] if made else None


def tasks_in(session: AgentSession) -> QuerySet[Task]:
    """The tasks that ran in a session, or are to."""
    own = Task.objects.filter(workspace_id=session.workspace_id, session_id=session.session_id)
    return own.filter(codebase_id=session.codebase_id).exclude(session_id="")


def tasks_url(session: AgentSession) -> str:
    query = {"session": session.session_id, "codebase": session.codebase_id}
    return reverse("admin:tasks_task_changelist", query=query)
