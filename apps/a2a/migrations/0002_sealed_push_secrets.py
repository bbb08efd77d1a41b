from typing import Any

from django.db import migrations

from apps.core.sealing import SealedField, seal, unseal

PURPOSE = "codetether/a2a/push/v1"
FIELDS = ("token", "credentials")


def _place(row: Any, field: str) -> str:
    """As the model's `sealed_place` and `apps.core.sealing` have it."""
    return f"{row.workspace_id}/{row.task_id}/{row.config_id}/{field}"


def seal_all(apps: Any, schema_editor: Any) -> None:
    """They stood as they came."""
    configs = apps.get_model("a2a_face", "PushConfig").objects
    for row in configs.exclude(token="", credentials="").iterator():
        for field in FIELDS:
            setattr(row, field, seal(getattr(row, field), purpose=PURPOSE, place=_place(row, field)))
        configs.filter(pk=row.pk).update(token=row.token, credentials=row.credentials)


def unseal_all(apps: Any, schema_editor: Any) -> None:
    configs = apps.get_model("a2a_face", "PushConfig").objects
    for row in configs.exclude(token="", credentials="").iterator():
        for field in FIELDS:
            setattr(row, field, unseal(getattr(row, field), purpose=PURPOSE, place=_place(row, field)))
        configs.filter(pk=row.pk).update(token=row.token, credentials=row.credentials)


class Migration(migrations.Migration):
    dependencies = [("a2a_face", "0001_push_notifications")]
    operations = [
        migrations.AlterField("pushconfig", "credentials", SealedField(purpose=PURPOSE)),
        migrations.AlterField("pushconfig", "token", SealedField(purpose=PURPOSE)),
        migrations.RunPython(seal_all, unseal_all),
    ]
