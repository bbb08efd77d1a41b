"""The console's pages of tasks."""

from apps.tasks.admin.tasks import TaskAdmin

__all__ = ["TaskAdmin"]
