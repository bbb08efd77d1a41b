"""What every page of the console shares: rows of the person's workspaces only, and permissions from the one table.

Each ModelAdmin of ours is a `WorkspaceAdmin`. One instance serves all threads at once, so nothing of a request is
kept on it (django-unfold keeps `self.request`; nothing here reads that).
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import ForeignKey, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from unfold import decorators, enums

from apps.accounts.console_history import Historied
from apps.accounts.console_log import Logged
from apps.accounts.models import Workspace
from apps.accounts.palette import Sought
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.accounts.saved_pages import shown_above
from apps.core.errors import CodeTetherError

if TYPE_CHECKING:  # django-unfold ships no types; it adds to what Django's own classes do
    from django.contrib.admin import ModelAdmin, SimpleListFilter

    PlainAdmin = ModelAdmin[Any]
    PlainList = ChangeList
    ChoiceFilter = SimpleListFilter
    DialogForm = forms.Form
    RowForm = forms.ModelForm[Any]
    PlainPaginator = Paginator[Any]
    checkbox = forms.CheckboxInput()
else:
    from django.forms import ModelForm as RowForm
    from unfold.admin import ModelAdmin as PlainAdmin
    from unfold.admin import checkbox
    from unfold.contrib.filters.admin import DropdownFilter as ChoiceFilter
    from unfold.forms import BaseDialogForm as DialogForm
    from unfold.views import ChangeList as PlainList

    PlainPaginator = Paginator

__all__ = [
    "ChoiceFilter",
    "DialogForm",
    "PlainAdmin",
    "RowForm",
    "WorkspaceAdmin",
    "action",
    "after_dialog",
    "display",
    "moment",
]

COUNT_LIMIT = 10_000
ROW_BOX = checkbox.render(ACTION_CHECKBOX_NAME, "ROW").replace('"ROW"', '"{}"')
NOBODY = uuid.UUID(int=0)
"""The workspace of what cannot be found: nobody holds anything in it."""


def display[F: Callable[..., Any]](**options: Any) -> Callable[[F], F]:
    """unfold's `display`, with the type of what it decorates kept."""
    return cast(Callable[[F], F], decorators.display(**options))


def action[F: Callable[..., Any]](*, variant: str = "default", **options: Any) -> Callable[[F], F]:
    """unfold's `action`, with the type kept. Give a `dialog`: then only a POST with a CSRF token acts."""
    return cast(Callable[[F], F], decorators.action(variant=enums.ActionVariant(variant), **options))


class CappedPaginator(PlainPaginator):
    """Counts no further than COUNT_LIMIT: a list of a million rows costs what one of ten thousand costs."""

    template_name = "admin/pagination_capped.html"

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by()[:COUNT_LIMIT].count()

    @property
    def is_capped(self) -> bool:
        """Whether there may be more than `count`."""
        return self.count >= COUNT_LIMIT


class WorkspaceList(PlainList):
    """A list that says how many it found, and offers "show all" only where something is left out."""

    is_dataset = False

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class WorkspaceAdmin(Sought, Historied, Logged, PlainAdmin):
    """The shared base. A scope that is None is held by nobody: facts are read-only unless a class says otherwise."""

    workspace_attr: ClassVar[str] = "workspace_id"
    view_scope: ClassVar[Scope] = Scope.TASKS_READ
    add_scope: ClassVar[Scope | None] = None
    change_scope: ClassVar[Scope | None] = None
    delete_scope: ClassVar[Scope | None] = None
    empty_hint: ClassVar[str] = ""
    """What to do next where a list is empty; a plain sentence."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count the whole table once for each choice
    list_per_page = 50
    list_disable_select_all = True
    list_before_template = "admin/saved_links.html"
    list_sections = ()  # unfold asks for it in each row; without one Django goes through all names of the class
    actions: Sequence[Any] | None = ()

    @property
    def media(self) -> forms.Media:
        """Without a request, unlike unfold's: every list filter's media, whoever asks."""
        found = super(PlainAdmin, self).media
        for entry in self.list_filter:
            listed = getattr(getattr(entry, "form_class", None), "Media", None)
            found += forms.Media(listed) if listed else forms.Media()
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return reach_of(request).narrowed(super().get_queryset(request), self.view_scope, self.workspace_attr)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WorkspaceList

    @display(description=mark_safe(checkbox.render("action_toggle_all", 1)))
    def action_checkbox(self, obj: Any) -> SafeString:
        """unfold's, drawn once for all rows: by the template of the widget it is a fifth of a list's cost."""
        return format_html(ROW_BOX, obj.pk)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With what the person has saved of this list."""
        return super().changelist_view(request, {"saved": shown_above(request), **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> Any:
        """With the workspace where there are several; a single team never meets the word."""
        shown = list(super().get_list_display(request))
        return [*shown, "workspace"] if self.workspace_attr == "workspace_id" and reach_of(request).is_wide else shown

    def allows(self, request: HttpRequest, scope: Scope | None, obj: Any = None) -> bool:
        """Whether the person holds `scope` for `obj`: a row, a row's id as it stands in a URL, or None for any row."""
        if scope is None:
            return False
        if isinstance(obj, str):
            obj = self.get_object(request, unquote(obj)) or NOBODY
        workspace_id = obj if obj is None or obj == NOBODY else getattr(obj, self.workspace_attr)
        return reach_of(request).holds(scope, workspace_id)

    def trail(self, obj: Any) -> uuid.UUID | None:
        found: uuid.UUID | None = getattr(obj, self.workspace_attr)
        return found

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.view_scope, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, self.add_scope)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.change_scope, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.delete_scope, obj)

    @display(description="Updated", ordering="updated_at")
    def updated(self, obj: Any) -> SafeString:
        return moment(obj.updated_at)

    @display(description="Made", ordering="created_at")
    def made(self, obj: Any) -> SafeString:
        return moment(obj.created_at)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A choice of rows has no side doors to add, change or look at one."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        for name in ("can_add_related", "can_change_related", "can_view_related", "can_delete_related"):
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, False)
        for part in getattr(getattr(field, "widget", None), "widgets", ()):  # of a date and a time, each by itself
            part.attrs.setdefault("aria-label", f"{field.label}: {part.attrs.get('placeholder', '')}")
        return field

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Only workspaces in which the person may add; hidden where there is just one."""
        if db_field.remote_field.model is not Workspace or self.add_scope is None:
            return super().formfield_for_foreignkey(db_field, request, **kwargs)
        open_to = reach_of(request).workspaces(self.add_scope)
        field = super().formfield_for_foreignkey(db_field, request, queryset=open_to, **kwargs)
        if field is not None and len(open_to) == 1:
            field.initial, field.widget = open_to[0].pk, forms.HiddenInput()
        return field

    def attempt(self, request: HttpRequest, act: Callable[[], object], done: str) -> bool:
        """Call a service for the person; say `done`, or why it was refused. Whether it was done."""
        try:
            act()
        except CodeTetherError as error:
            lines = [message for listed in (error.errors or {}).values() for message in listed]
            messages.error(request, " ".join([error.detail, *lines]))
            return False
        messages.success(request, done)
        return True

    def act_on(self, request: HttpRequest, object_id: str, service: Callable[[Any], object], done: str) -> HttpResponse:
        """`attempt` a service with the row of a dialog; back to its page, or to the list when it is there no more."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        self.attempt(request, lambda: service(row), done)
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        is_there = type(row)._default_manager.filter(pk=row.pk).exists()
        return after_dialog(reverse(f"{page}_change", args=[row.pk]) if is_there else reverse(f"{page}_changelist"))


def moment(at: datetime) -> SafeString:
    """A time in the reader's zone, which a tooltip names; console.js puts it into words."""
    here = timezone.localtime(at)
    words = here.strftime("%Y-%m-%d %H:%M")
    return format_html(
        '<time class="ct-ago" datetime="{}" title="{} {}">{}</time>',
        here.isoformat(timespec="seconds"), words, here.tzname(), words,
    )  # fmt: skip


def after_dialog(url: str) -> HttpResponse:
    """The answer to a dialog's POST (which htmx made): go to `url`, where the message waits."""
    return HttpResponse(headers={"HX-Redirect": url})
