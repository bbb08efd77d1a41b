from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0009_ended_tasks_are_counted"),
        ("tasks", "0009_history_of_limits"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("session_id", ""), _negated=True), fields=["session_id"], name="task_of_session"
            ),
        ),
    ]
