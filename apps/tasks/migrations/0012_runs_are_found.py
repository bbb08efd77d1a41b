from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0011_makers_and_workers_are_found")]

    operations = [
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("attempt__gt", 0)),
                fields=["workspace", "-created_at", "-id"],
                name="task_tried",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("attempt__gt", 0), ("state", "pending")),
                fields=["workspace", "-created_at", "-id"],
                name="task_to_try_again",
            ),
        ),
    ]
