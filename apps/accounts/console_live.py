"""A row's page with a face of its own, whose pieces are told anew while it is open (static/codetether/place.js)."""

from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.accounts.console import WorkspaceAdmin
from apps.accounts.reach import reach_of

_REMEMBERED = "_console_rows"


class LivePage(WorkspaceAdmin):
    """Its template shows `pieces_template`; `?edit` shows the row's form instead, to who may change it."""

    pieces_template: ClassVar[str]

    def shown(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the pieces say of a row; the page itself knows."""
        raise NotImplementedError

    def beside(self, request: HttpRequest, row: Any, shown: Mapping[str, Any]) -> dict[str, Any]:
        """What the page says beside its pieces (which are `shown`), and does not tell anew."""
        return {}

    def stream_of(self, row: Any) -> str:
        """The address of a stream that tells when it is worth to look again."""
        return "/v1/monitor/stream"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Looked up once a request: the page asks for it, and so does each of its buttons."""
        known: dict[tuple[str, str], Any] = request.__dict__.setdefault(_REMEMBERED, {})
        key = (self._name("change"), f"{from_field}/{object_id}")
        if key not in known:
            known[key] = super().get_object(request, object_id, from_field)
        return known[key]

    def get_urls(self) -> list[URLPattern]:
        own = path("<path:object_id>/live/", self.admin_site.admin_view(self.live_view), name=self._name("live"))
        return [own, *super().get_urls()]

    def _name(self, view: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{view}"

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The pieces of the page, for one that is open."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        return TemplateResponse(request, self.pieces_template, self.shown(request, row))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        editing = request.method == "POST" or ("edit" in request.GET and self.has_change_permission(request, row))
        shown = self._page(request, row) if row is not None and not editing else {}
        more = {"editing": editing, "show_save_and_continue": False, **shown, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, more)

    def _page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        shown = self.shown(request, row)
        return {
            **shown,
            **self.beside(request, row, shown),
            "title": str(row),
            "subtitle": None,
            "address": reverse(f"admin:{self._name('live')}", args=[row.pk]),
            "stream": reach_of(request).address_of(self.stream_of(row), getattr(row, self.workspace_attr)),
        }

    def page_again(self, request: HttpRequest, object_id: str, **more: Any) -> HttpResponse:
        """The page as a GET shows it, in answer to a POST that had something wrong."""
        asked = copy(request)
        asked.method, asked.resolver_match = "GET", request.resolver_match
        return self.change_view(asked, object_id, extra_context=more)
