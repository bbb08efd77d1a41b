"""The page on which a person turns notifications on for a device, and what it calls. All of it is about their own."""

import uuid
from collections.abc import Callable
from typing import Any, cast

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import User
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.core import jsontext
from apps.core.errors import CodeTetherError, UnavailableError
from apps.core.posting import Refusal
from apps.core.problems import problem_body, problem_of
from apps.notifications.kinds import WORDS, Kind, kinds_of
from apps.notifications.models import PushSubscription
from apps.notifications.news import sample_news
from apps.notifications.selectors import device_digest, device_get, devices_of
from apps.notifications.services import (
    device_add,
    device_choose,
    device_drop,
    device_forget,
    device_remove,
    device_sent,
)
from apps.notifications.subscribing import read_device
from apps.notifications.web_push import client, public_key, push

BODY_LIMIT = 16_384


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)  # the console's door lets nobody else in


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    reach = reach_of(request)
    open_kinds = kinds_of({scope for scope in Scope if reach.roles and reach.holds(scope)})
    devices = [
        {"device": device, "digest": device_digest(device), "kinds": _choices(device, open_kinds)}
        for device in devices_of(_user(request))
    ]
    context = {
        **admin.site.each_context(request),
        "title": "Notifications",
        "devices": devices,
        "kinds": [words for kind, words in WORDS.items() if kind in open_kinds],
        "key": public_key(),
        "is_member": bool(reach.roles),
    }
    return TemplateResponse(request, "admin/notifications/page.html", context)


def _choices(device: PushSubscription, open_kinds: frozenset[Kind]) -> list[dict[str, Any]]:
    """The boxes of a device: what its person may hear of, and what it does."""
    return [
        {"value": str(kind), "label": WORDS[kind][0], "is_on": str(kind) in device.kinds}
        for kind in WORDS
        if kind in open_kinds
    ]


@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    """`PushSubscription.toJSON()` as the body: this browser is told from now on."""

    def act() -> dict[str, Any]:
        said = _said(request)
        new = async_to_sync(read_device)(said, request.headers.get("User-Agent", ""))
        device = device_add(user=_user(request), new=new)
        return {"id": str(device.pk), "name": device.name}

    return _answered(act)


@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """`{"endpoint"}`: this browser is told no more. It is no error if it was not."""

    def act() -> dict[str, Any]:
        return {"removed": device_forget(user=_user(request), endpoint=str(_said(request).get("endpoint", "")))}

    return _answered(act)


@require_POST
def choose(request: HttpRequest, device_id: uuid.UUID) -> HttpResponse:
    kinds = [Kind(name) for name in request.POST.getlist("kinds") if name in Kind]
    return _done(
        request,
        lambda: device_choose(user=_user(request), device_id=device_id, kinds=kinds),
        "Saved." if kinds else "Saved: this device is told of nothing.",
    )


@require_POST
def remove(request: HttpRequest, device_id: uuid.UUID) -> HttpResponse:
    return _done(
        request,
        lambda: device_remove(user=_user(request), device_id=device_id),
        "The device is removed; it is told no more.",
    )


@require_POST
def test(request: HttpRequest, device_id: uuid.UUID) -> HttpResponse:
    """Sent at once, so that its person sees whether the push service took it, and why not."""

    def act() -> None:
        device = device_get(user=_user(request), device_id=device_id)
        refusal = async_to_sync(_send_sample)(device)
        if refusal is None:
            device_sent(device_id=device.pk)
            return
        if refusal.is_gone:
            device_drop(device_id=device.pk)
        hint = " The device is gone; turn it on there again." if refusal.is_gone else ""
        raise UnavailableError(f"The push service did not take it: {refusal.reason}{hint}")

    return _done(request, act, "Sent: it should appear on that device within seconds.")


async def _send_sample(device: PushSubscription) -> Refusal | None:
    async with client() as sender:
        return await push(sender, device, sample_news())


def _said(request: HttpRequest) -> dict[str, Any]:
    return jsontext.loads_object(request.body[:BODY_LIMIT])


def _answered(act: Callable[[], dict[str, Any]]) -> HttpResponse:
    """For the page's script."""
    try:
        return JsonResponse(act())
    except CodeTetherError as error:
        problem = problem_of(error)
        return JsonResponse(problem_body(problem), status=problem.status)


def _done(request: HttpRequest, act: Callable[[], object], done: str) -> HttpResponse:
    """For a form: back to the page, which says what came of it; what is not the person's own is not found."""
    try:
        act()
    except CodeTetherError as error:
        if error.status == 404:
            return HttpResponse(error.detail, status=404, content_type="text/plain")
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("notifications"))
