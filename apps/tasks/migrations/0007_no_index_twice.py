import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_default_workspace"),
        ("codebases", "0001_initial"),
        ("tasks", "0006_when_it_came_to_its_state"),
    ]

    operations = [
        migrations.AlterField(
            model_name="task",
            name="workspace",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tasks",
                to="accounts.workspace",
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="codebase",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="tasks",
                to="codebases.codebase",
            ),
        ),
    ]
