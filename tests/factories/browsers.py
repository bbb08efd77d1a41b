"""Browsers of people who work in the console."""

from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from tests.factories import Cast


def signed_in(cast: Cast, name: str, role: Role, **more: Any) -> Client:
    """The browser of somebody who may open the console; `more` is what the client itself takes."""
    client = Client(**more)
    client.force_login(cast.user(name, role, is_staff=True))
    return client


def at(row: Model, view: str = "change") -> str:
    """Where the console has a row's page, or another view of it."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk])


def words(client: Client, address: str) -> str:
    """A page's HTML, with all white space the same."""
    return " ".join(client.get(address).text.split())
