import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_saved_links"),
        ("codebases", "0004_history_of_variables"),
    ]

    operations = [
        migrations.CreateModel(
            name="ActiveCodebase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("caller", models.CharField(max_length=300)),
                ("set_at", models.DateTimeField(auto_now=True)),
                (
                    "codebase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="active_for",
                        to="codebases.codebase",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "caller"), name="active_codebase_once_per_caller")
                ],
            },
        ),
    ]
