"""How many have ended is counted as they end; what had ended before is counted here, once.

Nothing is left out that is in the outbox: that is counted when it is removed.
"""

import django.db.models.deletion
from django.db import migrations, models

COUNT = """
INSERT INTO tasks_endedtotal (workspace_id, state, number)
SELECT workspace_id, state, sum(number) FROM (
    SELECT workspace_id, state, count(*) AS number FROM tasks_task
    WHERE state IN ('cancelled', 'completed', 'failed', 'rejected') GROUP BY 1, 2
    UNION ALL SELECT workspace_id, kind, -1 FROM tasks_outboxentry
    WHERE kind IN ('cancelled', 'completed', 'failed', 'rejected')
) each GROUP BY 1, 2
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("tasks", "0008_working_trees"),
    ]

    operations = [
        migrations.CreateModel(
            name="EndedTotal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.TextField()),
                ("number", models.BigIntegerField(default=0)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "state"), name="ended_total_once")],
            },
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
