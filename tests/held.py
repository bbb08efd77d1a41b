"""The law of limits: each counts exactly the tasks that name it, only held tasks name any, and none is overfull."""

from apps.tasks.models import QueueLimit, Task


def assert_limits_count_what_is_held() -> None:
    """For every limit in the database."""
    naming = list(Task.objects.exclude(limit_ids=[]).values_list("lease_expires_at", "limit_ids"))
    assert all(lease is not None for lease, _ in naming), "a task that nobody holds is counted"
    for limit in QueueLimit.objects.all():
        assert limit.held == sum(limit.id in ids for _, ids in naming), f"{limit} has miscounted"
