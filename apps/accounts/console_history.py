"""The page of what a row was, for each ModelAdmin that names the model which keeps it."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.audit.history import states_of

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Any]
else:
    Base = object

STATES_SHOWN = 200


class Historied(Base):
    """A ModelAdmin whose rows' pages lead to their history."""

    history: ClassVar[Any] = None
    """The model that keeps what its rows were, where there is one."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the way to the row's history, where one is kept."""
        more = {"show_history": self.history is not None, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, more)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the row was, and who changed it."""
        row = self.get_object(request, unquote(object_id))
        if self.history is None or row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"History of {row}",
            "states": states_of(self.history, row.pk)[:STATES_SHOWN],
            "back": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk]),
        }
        return TemplateResponse(request, "admin/row_history.html", context)
