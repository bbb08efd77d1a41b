"""The command palette: one field that finds pages, things to do, tasks, sessions, codebases and workers.

It stands in for django-unfold's own search, which reads whole tables and remembers for minutes what somebody might see.
"""

from collections.abc import Iterator
from itertools import chain

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.accounts.console import WorkspaceAdmin
from apps.accounts.palette import Found
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.accounts.saved_links import links_of
from apps.accounts.saved_pages import person
from codetether.console import pages

PAGES_SHOWN = 8
WORDS_LENGTH = 200
WAYS = [
    ("Tasks that need a person", "contact_support", "needs=person"),
    ("Tasks that are stuck", "error", "needs=stuck"),
    ("Tasks that failed", "report", "state=failed"),
    ("Tasks of today", "today", "made=today"),
    ("My tasks", "person", "needs=mine"),
]
"""Lists that people often want, beside the pages of the menu."""


class Words(forms.Form):
    s = forms.CharField(max_length=WORDS_LENGTH, required=False)


def search(request: HttpRequest) -> HttpResponse:
    """GET `?s=`: what matches, as the palette shows it; without words the pages that there are."""
    form = Words(request.GET)
    words = form.cleaned_data["s"] if form.is_valid() else ""
    found = [*_places(request, words), *(_rows(request, words) if words else ())]
    context = {"results": found, "search_term": words, "tasks": reverse("admin:tasks_task_changelist")}
    return TemplateResponse(request, "unfold/helpers/command_results.html", context)


def _rows(request: HttpRequest, words: str) -> Iterator[Found]:
    ours = (page for page in admin.site._registry.values() if isinstance(page, WorkspaceAdmin))
    return chain.from_iterable(page.palette_found(request, words) for page in ours)


def _places(request: HttpRequest, words: str) -> list[Found]:
    """Pages, things to do and lists whose names hold all words."""
    wanted = words.casefold().split()
    named = (place for place in _all_places(request) if all(word in place.title.casefold() for word in wanted))
    return list(named)[:PAGES_SHOWN] if wanted else list(chain(_saved(request), _ways(request), _menu(request)))


def _all_places(request: HttpRequest) -> Iterator[Found]:
    return chain(_saved(request), _menu(request), _ways(request), _additions(request))


def _saved(request: HttpRequest) -> Iterator[Found]:
    return (Found(link.name, "Saved list", link.path, "bookmark") for link in links_of(person(request)))


def _menu(request: HttpRequest) -> Iterator[Found]:
    return (Found(page.title, "Page", page.link, page.icon) for page in pages(reach_of(request)))


def _ways(request: HttpRequest) -> Iterator[Found]:
    if reach_of(request).holds(Scope.TASKS_READ):
        tasks = reverse("admin:tasks_task_changelist")
        yield from (Found(title, "List", f"{tasks}?{query}", icon) for title, icon, query in WAYS)


def _additions(request: HttpRequest) -> Iterator[Found]:
    """What the person may add."""
    for model, page in admin.site._registry.items():
        if page.has_add_permission(request):
            options = model._meta
            link = reverse(f"admin:{options.app_label}_{options.model_name}_add")
            yield Found(f"Add {options.verbose_name}", "Action", link, "add")
