"""The console shows times in its reader's zone, and nobody else's."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.permissions import Role
from apps.accounts.zone import COOKIE
from apps.tasks.models import Task
from tests.factories import Cast
from tests.factories.browsers import signed_in

NIGHT = datetime.datetime(2026, 1, 31, 22, 30, tzinfo=datetime.UTC)


@pytest.fixture
def otto(cast: Cast) -> Client:
    Task.objects.filter(pk=cast.task().pk).update(created_at=NIGHT)
    return signed_in(cast, "otto", Role.OPERATOR)


@pytest.mark.parametrize(
    ("cookie", "words"),
    [
        ("Asia/Tokyo", "2026-02-01 07:30 JST"),
        ("", "2026-01-31 22:30 UTC"),
        ("No/Where", "2026-01-31 22:30 UTC"),
        ("../../etc/passwd", "2026-01-31 22:30 UTC"),
    ],
)
def test_list_tells_times_in_the_readers_zone(otto: Client, cookie: str, words: str) -> None:
    otto.cookies[COOKIE] = cookie
    assert f'title="{words}"' in otto.get(reverse("admin:tasks_task_changelist")).text


def test_page_tells_the_same_instant_in_the_readers_zone(otto: Client) -> None:
    otto.cookies[COOKIE] = "Asia/Tokyo"
    page = otto.get(reverse("admin:tasks_task_change", args=[Task.objects.get().pk])).text
    assert 'datetime="2026-02-01T07:30:00+09:00">2026-02-01 07:30<' in page


def test_programs_are_told_utc_whatever_the_cookie_says(cast: Cast, otto: Client) -> None:
    otto.cookies[COOKIE] = "Asia/Tokyo"
    token = cast.token(Role.VIEWER)
    url = f"/v1/opencode/tasks/{Task.objects.get().pk}"
    said = otto.get(url, headers={"Authorization": f"Bearer {token}"})
    assert said.json()["created_at"].startswith("2026-01-31T22:30:00")


def test_zone_is_forgotten_after_the_request(otto: Client) -> None:
    otto.cookies[COOKIE] = "Asia/Tokyo"
    otto.get(reverse("admin:index"))
    assert timezone.get_current_timezone_name() == "UTC"
