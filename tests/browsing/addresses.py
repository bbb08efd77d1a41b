"""Every page of the console, found in the admin's registry and the URL configuration: what is new there comes along."""

from collections.abc import Iterator

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

FOR_PROGRAMS = ("v1/", "agents", "admin/logout/")
"""Begin what answers programs, and what ends the session of whoever looks."""
DOCUMENTATION = "/v1/docs"
GENERIC = ("changelist", "add", "change", "delete", "history")


def pages(client: Client) -> list[str]:
    """The addresses that show this browser's person a page. Fails for a model with a console page and no row."""
    found = dict.fromkeys([*_of_the_site(), *_of_models(), DOCUMENTATION])
    return [address for address in found if _is_page(client, address)]


def one_of_each(addresses: list[str]) -> list[str]:
    """Of the pages that the console makes for every model in one way, the first of each kind; and all others."""
    seen: set[str] = set()
    kept = []
    for address in addresses:
        kind = _kind(address)
        if kind not in seen:
            kept.append(address)
        seen.add(kind)
    return kept


def _kind(address: str) -> str:
    """What a page is: itself, or that part of its address which tells what is made of any model."""
    found = resolve(address.partition("?")[0])
    model_admin = getattr(found.func, "model_admin", None)
    if model_admin is None:
        return "of an app" if found.url_name == "app_list" else address
    kind = str(found.url_name).rpartition("_")[2]
    has_own = model_admin.change_form_template is not None and kind in ("changelist", "change")
    return address if has_own or kind not in GENERIC else kind


def change_page(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(str(row.pk))])


def _is_page(client: Client, address: str) -> bool:
    """Not what refuses this person, leads on, is a piece of a page or a file, or takes POST only."""
    answer = client.get(address)
    is_shown = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
    return is_shown and b"</html>" in answer.getvalue()


def _of_models() -> Iterator[str]:
    """For each model of the console: its list, and the pages of its newest row."""
    admin.autodiscover()
    for model, model_admin in admin.site._registry.items():
        row = model._default_manager.order_by("pk").last()
        assert row is not None, f"Put a {model._meta.label} on the stage (tests/browsing/stage.py)."
        for pattern in model_admin.get_urls():
            if pattern.name and pattern.name.startswith(model._meta.app_label):
                arguments = [quote(str(row.pk))] if pattern.pattern.converters else []
                yield reverse(f"admin:{pattern.name}", args=arguments)


def _of_the_site() -> Iterator[str]:
    """What needs no argument, and each app's own page."""
    yield from (f"/admin/{model._meta.app_label}/" for model in admin.site._registry)
    yield from (f"/{path}" for path in _plain(get_resolver().url_patterns) if not path.startswith(FOR_PROGRAMS))


def _plain(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _plain(entry.url_patterns, path)
        elif not set("<(^[") & set(path):
            yield path
