"""Isolation begins in the tables: every row of ours belongs to a workspace, directly or through its parent."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models

BELONGS_TO_NOBODY = {
    "accounts.Workspace": "is the tenant itself",
    "accounts.User": "a person may be a member of several workspaces",
    "accounts.UserHistory": "is what a person's account was; the console shows it to superusers",
    "accounts.WorkspaceHistory": "is what a tenant was called",
    "accounts.LoginSession": "is a person's; one for programs names its workspace, a browser's is for all of theirs",
    "accounts.SpentRefresh": "is a login's",
    "accounts.SavedLink": "is an address that a person keeps; it shows whoever opens it what they may see",
    "accounts.OidcIdentity": "is a person's name at the identity provider",
    "accounts.OidcLogout": "is what the identity provider said of a person",
    "notifications.PushSubscription": "is a person's device; what it hears of follows from their memberships",
    "tasks.LastSweep": "the reaper sweeps for all; readers are shown their own workspace's part",
}


def our_models() -> Iterator[type[models.Model]]:
    for config in apps.get_app_configs():
        if config.name.startswith("apps."):
            yield from config.get_models(include_auto_created=True)


def is_scoped(model: type[models.Model], seen: frozenset[type[models.Model]] = frozenset()) -> bool:
    """Whether a row has a workspace of its own, or a parent (that it must have) which is scoped."""
    fields = model._meta.concrete_fields
    if any(field.attname == "workspace_id" and not field.null for field in fields):
        return True
    parents = [
        field.related_model
        for field in fields
        if isinstance(field, models.ForeignKey) and not field.null and isinstance(field.related_model, type)
    ]
    return any(is_scoped(parent, seen | {model}) for parent in parents if parent not in seen)


@pytest.mark.parametrize("model", [pytest.param(model, id=model._meta.label) for model in our_models()])
def test_every_row_belongs_to_a_workspace(model: type[models.Model]) -> None:
    excepted = model._meta.label in BELONGS_TO_NOBODY or model.__module__.startswith("django.")
    assert is_scoped(model) or excepted or _joins_users_to_permissions(model)


def _joins_users_to_permissions(model: type[models.Model]) -> bool:
    """Django's own tables between a user and its groups and permissions."""
    made_for: Any = model._meta.auto_created
    return bool(made_for) and made_for._meta.label == "accounts.User"


def test_every_exception_is_still_needed() -> None:
    assert {model._meta.label for model in our_models()} >= BELONGS_TO_NOBODY.keys()
