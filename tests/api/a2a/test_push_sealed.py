"""What a client gives us for its receiver is sealed in the database, and sealed anew under a new key."""

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from apps.a2a.models import PushConfig
from apps.core.sealing import is_current, opened, sealed
from tests.factories import Cast

pytestmark = pytest.mark.django_db
MIGRATION: Any = importlib.import_module("apps.a2a.migrations.0002_sealed_push_secrets")
TOKEN, KEY = "token-of-the-receiver", "key-of-the-receiver"


def config_of(cast: Cast, **values: Any) -> PushConfig:
    task = cast.task()
    made = PushConfig(
        workspace_id=task.workspace_id, task_id=task.id, config_id="c", url="https://hooks.example/a",
        host="hooks.example", version="1.0", sent_seq=0, scheme="Bearer", **values,
    )  # fmt: skip
    made.save()
    return made


def test_what_stood_openly_is_sealed_by_the_migration_and_opened_by_its_undoing(cast: Cast) -> None:
    config = config_of(cast, token=TOKEN, credentials=KEY)
    MIGRATION.seal_all(apps, connection.schema_editor())
    config.refresh_from_db()
    assert TOKEN not in config.token
    assert KEY not in config.credentials
    assert (opened(config, "token"), opened(config, "credentials")) == (TOKEN, KEY)
    MIGRATION.unseal_all(apps, connection.schema_editor())
    config.refresh_from_db()
    assert (config.token, config.credentials) == (TOKEN, KEY)


def test_secrets_are_sealed_anew_under_the_new_key(cast: Cast, settings: Any) -> None:
    config = config_of(cast)
    PushConfig.objects.update(token=sealed(config, "token", TOKEN))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the next key " + "y" * 40
    call_command("rotate_secrets")
    settings.SECRET_KEY_FALLBACKS = []
    config.refresh_from_db()
    assert is_current(config.token, purpose="codetether/a2a/push/v1")
    assert opened(config, "token") == TOKEN


def test_what_no_key_opens_is_named_and_left_as_it_is(cast: Cast, settings: Any) -> None:
    config = config_of(cast)
    kept = sealed(config, "token", TOKEN)
    PushConfig.objects.update(token=kept)
    settings.SECRET_KEY = "the next key " + "y" * 40
    with pytest.raises(CommandError, match=str(config.pk)):
        call_command("rotate_secrets")
    assert PushConfig.objects.get().token == kept
