"""What the page of a session asks for while it is open: parts of the transcript, words in it, and all of it."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path

from apps.accounts.console import WorkspaceAdmin
from apps.sessions.admin.export import as_json_lines, as_markdown
from apps.sessions.admin.parts import PART, number_of, part
from apps.sessions.models import AgentSession
from apps.sessions.selectors import messages_count, place_of
from apps.sessions.words import session_words

PARTS_SHOWN = 2
"""Parts that the page comes with; it asks for the others as it shows them."""
QUESTION_LIMIT = 200

FORMS: dict[str, tuple[str, str, Callable[[AgentSession], Iterator[bytes]]]] = {
    "jsonl": ("application/x-ndjson", "jsonl", as_json_lines),
    "markdown": ("text/markdown; charset=utf-8", "md", as_markdown),
}


class SessionPages(WorkspaceAdmin):
    """The answers that belong to one session's page."""

    def get_urls(self) -> list[URLPattern]:
        views = {"part": self.part_view, "search": self.search_view, "messages": self.messages_view}
        own = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"agent_sessions_session_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def transcript_shown(self, request: HttpRequest, session: AgentSession) -> dict[str, Any]:
        """The parts about `?message=` (its id, which the program gave) or `?at=` (a place); else the last ones."""
        total = messages_count(session)
        at = place_of(session, request.GET.get("message", "")) or min(_number(request, "at"), total)
        last = number_of(at or total)
        numbers = range(max(0, last - PARTS_SHOWN + 1), last + 1)
        return {
            "parts": [{"number": number, "turns": part(session, number)} for number in numbers],
            "last_part": number_of(total),
            "part_length": PART,
            "at": at or "",
            "words": request.GET.get("q", "")[:QUESTION_LIMIT],
            "stored": total,
            "earlier": numbers[0] * PART or None,
            "later": (last + 1) * PART + 1 if last < number_of(total) else None,
        }

    def part_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Part `?number=` of the transcript."""
        session = self._session(request, object_id)
        number = min(_number(request, "number"), number_of(messages_count(session)))
        context = {"session": session, "turns": part(session, number)}
        html = render_to_string("admin/agent_sessions/agentsession/turns.html", context, request)
        return JsonResponse({"number": number, "html": html})

    def search_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Where in the session the words `?q=` are: `{hits: [{seq, part, words}]}`."""
        session = self._session(request, object_id)
        found = session_words(session, request.GET.get("q", "")[:QUESTION_LIMIT])
        hits = [{"seq": one.place, "part": number_of(one.place), "words": one.words} for one in found]
        return JsonResponse({"hits": hits})

    def messages_view(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """The whole session as a file; `?as=` names the form."""
        session = self._session(request, object_id)
        form = FORMS.get(request.GET.get("as", "jsonl"))
        if form is None:
            raise Http404
        media_type, suffix, written = form
        answer = StreamingHttpResponse(written(session), content_type=media_type)
        answer["Content-Disposition"] = f'attachment; filename="session-{session.pk}.{suffix}"'
        return answer

    def _session(self, request: HttpRequest, object_id: str) -> AgentSession:
        session: AgentSession | None = self.get_object(request, unquote(object_id))
        if session is None or not self.has_view_permission(request, session):
            raise Http404
        return session


def _number(request: HttpRequest, name: str) -> int:
    """A number of the query, where it is one that can be meant; else 0."""
    given = request.GET.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 9 else 0
