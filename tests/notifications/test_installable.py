"""What browsers need to install the console, and to show a page without a network; `tests/e2e` tries it in one."""

import json
import re
import struct
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from apps.accounts.permissions import Role
from apps.notifications.service_worker import KEPT
from tests.factories import Cast
from tests.factories.browsers import signed_in

STATIC = "/static/"


def content(address: str) -> bytes:
    """Of one of our own files, by its address."""
    found = finders.find(address.removeprefix(STATIC))
    assert isinstance(found, str), address
    with open(found, "rb") as file:
        return file.read()


@pytest.fixture
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content("/static/codetether/app.webmanifest"))
    return found


def test_icons_are_there_in_the_sizes_that_are_said(manifest: dict[str, Any]) -> None:
    drawn = [icon for icon in manifest["icons"] if icon["type"] == "image/png"]
    assert {(icon["sizes"], icon["purpose"]) for icon in drawn} == {
        ("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"),
    }  # fmt: skip
    for icon in [*drawn, *(icon for one in manifest["shortcuts"] for icon in one["icons"])]:
        wide, high = struct.unpack(">II", content(icon["src"])[16:24])
        assert icon["sizes"] == f"{wide}x{high}"


@pytest.mark.django_db
def test_the_manifest_is_served_as_one() -> None:
    answer = Client().get("/static/codetether/app.webmanifest")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/manifest+json")
    answer.close()


@pytest.mark.django_db
def test_it_begins_and_its_shortcuts_lead_within_the_console(cast: Cast, manifest: dict[str, Any]) -> None:
    olga = signed_in(cast, "olga", Role.OPERATOR)
    assert manifest["start_url"].startswith(manifest["scope"])
    for address in (manifest["start_url"], *(one["url"] for one in manifest["shortcuts"])):
        answer = olga.get(address)
        assert answer.status_code == 200, address
    page = olga.get("/admin/").text
    for link in ('rel="manifest" href="/static/codetether/app.webmanifest"', 'rel="apple-touch-icon"', "app.js"):
        assert link in page


@pytest.mark.django_db
def test_the_service_worker_is_for_everybody_and_always_asked_for_anew() -> None:
    answer = Client().get("/admin/sw.js")
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/javascript", "no-cache")
    known = json.loads(re.findall(r"^self\.CODETETHER = (.*);$", answer.text, re.M)[0])
    assert known["kept"] == [STATIC + name for name in KEPT]
    for address in (*known["kept"], known["offline"], known["icon"], known["badge"]):
        assert content(address)
    assert Client().post("/admin/sw.js").status_code == 405


def test_the_page_without_a_network_needs_nothing_that_is_not_kept() -> None:
    page = content("/static/codetether/offline.html").decode()
    assert set(re.findall(r'(?:src|href)="(/[^"]*)"', page)) <= {STATIC + name for name in KEPT}
    assert len(re.findall("<script", page)) == len(re.findall('<script src="', page))
    assert "url(" not in content("/static/codetether/offline.css").decode()
