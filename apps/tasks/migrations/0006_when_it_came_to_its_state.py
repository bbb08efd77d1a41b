from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_default_workspace"),
        ("codebases", "0001_initial"),
        ("tasks", "0005_outbox_without_a_second_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="moved_at",
            field=models.DateTimeField(db_default=Now(), help_text="When it came to its present state."),
        ),
        migrations.RunSQL(
            "UPDATE tasks_task SET moved_at = COALESCE(completed_at, updated_at)", reverse_sql=migrations.RunSQL.noop
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["workspace", "-moved_at", "-id"], name="task_by_move"),
        ),
    ]
