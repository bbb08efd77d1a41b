"""What joins our tasks with the remote ones: written before the first message, so that nothing is sent twice."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.core.ids import parse_id
from apps.federation.models import RemoteTask

if TYPE_CHECKING:
    from apps.tasks.models import Task


def link_of(task: "Task", *, agent_name: str, references: Sequence[str]) -> RemoteTask:
    """The task's link to the agent; made at its first attempt, with the remote context that it goes on with and the
    remote tasks that it refers to (`references`: our task ids). Asked again, it says the same."""
    link = RemoteTask.objects.filter(task_id=task.id, workspace_id=task.workspace_id, agent_name=agent_name).first()
    if link is not None:
        return link
    context_id = _remote_context(task, agent_name)
    known = {
        "agent_name": agent_name,
        "context_id": task.context_id,
        "sent_context_id": context_id,
        "sent_references": _remote_ids(task.workspace_id, agent_name, references),
        "remote_task_id": "",
        "remote_context_id": context_id,
        "is_open": True,
    }
    made, _ = RemoteTask.objects.update_or_create(task_id=task.id, workspace_id=task.workspace_id, defaults=known)
    return made


def link_note(link: RemoteTask, *, remote_task_id: str, remote_context_id: str) -> None:
    """The agent has said what the task and its context are called there."""
    link.remote_task_id, link.remote_context_id = remote_task_id, remote_context_id
    link.save(update_fields=["remote_task_id", "remote_context_id"])


def link_close(*, task_id: uuid.UUID) -> None:
    """The remote task has ended, or nothing more can be done about it."""
    RemoteTask.objects.filter(task_id=task_id).update(is_open=False)


def _remote_context(task: "Task", agent_name: str) -> str:
    """The agent's context that this task goes on with: its session's, or that of our context's latest task there."""
    there = RemoteTask.objects.filter(workspace_id=task.workspace_id, agent_name=agent_name)
    if task.session_id and there.filter(remote_context_id=task.session_id).exists():
        return task.session_id
    if not task.context_id:
        return ""
    same = there.filter(context_id=task.context_id).exclude(remote_context_id="").order_by("-created_at")
    return same.values_list("remote_context_id", flat=True).first() or ""


def _remote_ids(workspace_id: uuid.UUID, agent_name: str, references: Sequence[str]) -> list[str]:
    """The agent's ids of those of our tasks that it has worked on; it knows nothing of the others."""
    ours = [parsed for one in references if (parsed := parse_id(one))]
    there = RemoteTask.objects.filter(workspace_id=workspace_id, agent_name=agent_name, task_id__in=ours)
    ids = dict(there.exclude(remote_task_id="").values_list("task_id", "remote_task_id"))
    return [ids[one] for one in ours if one in ids]
