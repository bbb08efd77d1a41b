"""Whose tasks and which worker's they are is known for each stretch of the table: so the few of one need no reading of
all. Such an index takes no entry for each row, which claims and ends would have to write again and again."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations

INDEX = BrinIndex(
    fields=["created_by", "worker_id", "agent_type"],
    name="task_of_whom",
    opclasses=["text_bloom_ops", "text_bloom_ops", "text_bloom_ops"],
    pages_per_range=64,
    autosummarize=True,
)
# Django cannot say how many different values a stretch has; the default would make entries twenty times as large
CREATE = """
CREATE INDEX task_of_whom ON tasks_task USING brin (
    created_by text_bloom_ops(n_distinct_per_range = 100),
    worker_id text_bloom_ops(n_distinct_per_range = 100),
    agent_type text_bloom_ops(n_distinct_per_range = 100)
) WITH (pages_per_range = 64, autosummarize = on)
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0010_tasks_are_found_by_their_session")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, "DROP INDEX task_of_whom")],
            state_operations=[migrations.AddIndex("task", INDEX)],
        ),
    ]
