import apps.core.ids
import apps.core.sealing
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_row_history"),
        ("codebases", "0002_row_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="Variable",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=128)),
                (
                    "kind",
                    models.CharField(
                        choices=[("variable", "Variable"), ("secret", "Secret")], default="secret", max_length=16
                    ),
                ),
                ("value", models.TextField(blank=True, default="")),
                (
                    "sealed_value",
                    apps.core.sealing.SealedField(
                        blank=True, default="", editable=False, purpose="codetether/codebases/variables/v1"
                    ),
                ),
                ("description", models.CharField(blank=True, default="", max_length=500)),
                (
                    "agent_types",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, default=list),
                ),
                ("set_by", models.CharField(blank=True, default="", max_length=255)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "codebase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variables",
                        to="codebases.codebase",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variables",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "codebase", "name"), name="variable_once_per_place", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "variable"), ("sealed_value", "")),
                            models.Q(("kind", "secret"), ("value", ""), models.Q(("sealed_value", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="variable_secret_is_sealed",
                    ),
                ],
            },
        ),
    ]
