"""What a task's metadata say of forking: it begins a session with the history of another, and leaves that as it is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.tasks.models import Task

FORK = "fork"
"""True: the session that the task names is to be forked, not gone on with."""
FORKED_FROM = "forked_from"
"""That session, when the task's own `session_id` is the new one's already. Nobody but the server says so."""


def metadata_for_holder(task: "Task") -> dict[str, Any]:
    """A task's metadata as its worker gets them: what has been forked is gone on with, not forked again."""
    metadata: dict[str, Any] = task.metadata
    if metadata.get(FORKED_FROM, task.session_id) == task.session_id:
        return metadata
    return {name: value for name, value in metadata.items() if name != FORK}
