"""The list of sessions, with its search, and the page of one. Sessions are facts: nobody changes them here."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, IntegerField, QuerySet, UUIDField, Value
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import WorkspaceList, display, moment
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.core.spending import spending
from apps.sessions.admin.filters import ActiveFilter, KeeperFilter, ProgramFilter
from apps.sessions.admin.pages import QUESTION_LIMIT, SessionPages
from apps.sessions.models import AgentSession
from apps.sessions.search import sessions_ranked, snippets_of
from apps.sessions.selectors import COST, usage_of

FOUND = 500
"""Sessions that a search shows, the best ones."""
WORKSPACES = 200
FORKS_SHOWN = 20
PAGE = "admin:agent_sessions_agentsession_change"


class _At(Func):
    """The element of an array at a place."""

    template = "(%(expressions)s]"
    arg_joiner = ")["


class FoundList(WorkspaceList):
    """A list in which each row that a search has found says where: `found`, (message's id, snippet, question)."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        best = [row.best for row in self.result_list if getattr(row, "best", None)]
        shown = snippets_of(best, self.query) if best else {}
        for row in self.result_list:
            row.found = (*shown[row.best], self.query) if getattr(row, "best", None) in shown else None


@admin.register(AgentSession)
class SessionAdmin(SessionPages):
    """What there is to see of sessions by themselves.

    The heart, of which this app knows nothing, registers a fuller one (`apps.tasks.admin.sessions`).
    """

    view_scope = Scope.SESSIONS_READ
    list_display: tuple[str, ...] = ("told", "active", "in_codebase", "program", "worker", "messages", "spent")
    list_display_links = None
    list_filter: ClassVar[tuple[Any, ...]] = (ActiveFilter, ProgramFilter, KeeperFilter)
    list_filter_submit = True
    list_select_related = ("codebase", "workspace")
    search_fields = ("title",)  # shows the field; what is searched is in get_search_results
    search_help_text = "Words of titles and messages, “a phrase”, or, -without; or a session's id. Best matches first."
    sortable_by = ("active",)
    ordering = ("-updated_at", "-id")
    change_form_template = "admin/agent_sessions/agentsession/change_form.html"
    fields = ()
    palette_icon = "forum"
    empty_hint = (
        "Workers tell what OpenCode, Claude Code, Codex and Gemini CLI did in their codebases, also at a terminal. "
        "Connect one where the code is, and its sessions are here within a minute."
    )

    def get_fieldsets(self, request: HttpRequest, obj: AgentSession | None = None) -> Any:
        """None: the page has its own face, and a session is not changed by a form."""
        return ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FoundList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The best FOUND of those that were found, best first unless the list is sorted otherwise."""
        question = search_term[:QUESTION_LIMIT].strip()
        if not question:
            return queryset, False
        seen = reach_of(request).workspaces(self.view_scope).values_list("id", flat=True)[:WORKSPACES]
        matches = sessions_ranked(list(seen), question, codebase_id=request.GET.get("codebase", ""), limit=FOUND)
        named = dict.fromkeys(self.get_queryset(request).filter(session_id=question).values_list("pk", flat=True))
        best = named | {match.session: match.best for match in matches}
        keys, bests = (Value(list(values), ArrayField(UUIDField())) for values in (best.keys(), best.values()))
        place = Func(keys, F("pk"), function="array_position", output_field=IntegerField())
        found = queryset.filter(pk__in=list(best)).annotate(place=place)
        found = found.annotate(best=_At(bests, F("place"), output_field=UUIDField()))
        return (found if ORDER_VAR in request.GET else found.order_by("place")), False

    def palette_note(self, row: AgentSession) -> str:
        return " · ".join(filter(None, [row.source, str(row.codebase)]))

    @display(description="Session")
    def told(self, session: Any) -> SafeString:
        """Its title, and below it what was found in it, which leads to the message."""
        url = reverse(PAGE, args=[session.pk])
        title = format_html('<a class="ct-title" href="{}">{}</a>', url, str(session))
        if not getattr(session, "found", None):
            return title
        message_id, snippet, question = session.found
        there = reverse(PAGE, args=[session.pk], query={"message": message_id, "q": question})
        # the search has escaped what was said and added its marks (search.Hit)
        return format_html('{}<a class="ct-snippet" href="{}">{}</a>', title, there, SafeString(snippet))

    @display(description="Program, model", empty_value="—")
    def program(self, session: AgentSession) -> SafeString | None:
        if not (session.source or session.model):
            return None
        model = session.model.rpartition("/")[2]
        return format_html('{}<span class="ct-below-it">{}</span>', session.source or session.agent, model)

    @display(description="Codebase")
    def in_codebase(self, session: AgentSession) -> SafeString:
        url = reverse("admin:codebases_codebase_change", args=[session.codebase_id])
        return format_html('<a class="ct-link" href="{}">{}</a>', url, session.codebase)

    @display(description="Worker", empty_value="—")
    def worker(self, session: AgentSession) -> str | None:
        return session.worker_id or None

    @display(description="Messages")
    def messages(self, session: AgentSession) -> int:
        return session.message_count

    @display(description="Cost, tokens", empty_value="—")
    def spent(self, session: AgentSession) -> str | None:
        return spending(session.usage) or None

    @display(description="Last active", ordering="updated_at")
    def active(self, session: AgentSession) -> SafeString:
        return moment(session.updated_at)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        session = self.get_object(request, object_id)
        shown = {**self.head(request, session), **self.transcript_shown(request, session)} if session else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def head(self, request: HttpRequest, session: AgentSession) -> dict[str, Any]:
        """What is shown above the transcript."""
        used = usage_of(session)
        cost = {name: value for name, value in used.items() if name == COST}
        kin = AgentSession.objects.filter(codebase=session.codebase_id).exclude(pk=session.pk)
        forks = kin.exclude(forked_from="").filter(forked_from=session.session_id)
        return {
            "session": session,
            "title": str(session),
            "subtitle": None,
            "used": used,
            "spent": spending(cost),
            "origins": _origins(session, kin),
            "forks": list(forks.order_by("-created_at")[:FORKS_SHOWN]),
        }


def _origins(session: AgentSession, kin: QuerySet[AgentSession]) -> list[tuple[AgentSession | str, str]]:
    """(the session that it came from, or its id where it is not here; in what way)."""
    said = [(session.forked_from, "Forked from"), (session.parent_id, "Sub-session of")]
    named = {name: words for name, words in reversed(said) if name}
    found = {one.session_id: one for one in kin.filter(session_id__in=named)} if named else {}
    return [(found.get(name, name), words) for name, words in named.items()]
