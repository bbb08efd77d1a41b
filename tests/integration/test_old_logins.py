"""Browser logins that are over are forgotten; those that hold stay."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.accounts.jobs import logins_purge


def test_only_logins_that_are_over_are_forgotten(db: None) -> None:
    for key, days in (("over", -1), ("good", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days))
    logins_purge()
    assert [login.session_key for login in Session.objects.all()] == ["good"]
