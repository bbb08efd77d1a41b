"""Browsers of people who work in the console."""

from typing import Any

from django.test import Client

from apps.accounts.permissions import Role
from tests.factories import Cast


def signed_in(cast: Cast, name: str, role: Role, **more: Any) -> Client:
    """The browser of somebody who may open the console; `more` is what the client itself takes."""
    client = Client(**more)
    client.force_login(cast.user(name, role, is_staff=True))
    return client
