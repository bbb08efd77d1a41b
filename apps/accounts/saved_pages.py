"""Saved lists in the console: what stands above a list, and the forms there that keep, rename and remove."""

import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.accounts.models import SavedLink, User
from apps.accounts.saved_links import link_remove, link_rename, link_save, links_of, list_path
from apps.core.errors import CodeTetherError, InvalidError, NotFoundError


def shown_above(request: HttpRequest) -> dict[str, Any]:
    """What the person has saved of this list, which of it is shown now, and the address to save."""
    query = request.GET.copy()
    for name in ("p", "e"):  # which page, and what Django says of a filter that it did not understand
        query.pop(name, None)
    path = f"{request.path}?{query.urlencode()}" if query else request.path
    links = [link for link in links_of(person(request)) if link.path.partition("?")[0] == request.path]
    return {"links": links, "path": path, "here": next((link for link in links if link.path == path), None)}


def person(request: HttpRequest) -> User:
    """The user; pages of the console are only for users."""
    return cast(User, request.user)


@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """POST `name`, `path`: keep the list, and back to it."""
    try:
        back = list_path(request.POST.get("path", ""))
    except InvalidError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(reverse("admin:index"))
    name = request.POST.get("name", "")
    _said(request, lambda: link_save(user=person(request), name=name, path=back), "The list is in the menu now.")
    return HttpResponseRedirect(back)


@require_POST
def change(request: HttpRequest, link_id: uuid.UUID) -> HttpResponse:
    """POST `verb`: rename (to `name`) or remove; back to the list."""
    own: dict[str, Any] = {"user": person(request), "link_id": link_id}
    link = links_of(person(request)).filter(pk=link_id).first()
    if link is None:
        raise Http404
    match request.POST.get("verb"):
        case "rename":
            name = request.POST.get("name", "")
            _said(request, lambda: link_rename(**own, name=name), "The saved list has its new name.")
        case "remove":
            _said(request, lambda: link_remove(**own), f"“{link.name}” is saved no more.")
        case _:
            raise Http404
    return HttpResponseRedirect(link.path)


def _said(request: HttpRequest, act: Callable[[], SavedLink], done: str) -> None:
    try:
        act()
    except NotFoundError as error:
        raise Http404 from error
    except CodeTetherError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
