"""What a notice says: to this person, of this task, as it is now; or nothing, where it is no news any more."""

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from apps.accounts.models import Membership, User
from apps.accounts.permissions import Role, Scope, scopes_of
from apps.core.errors import NotFoundError
from apps.notifications.kinds import GIVEN_UP, NEEDED, Kind
from apps.notifications.models import Notice
from apps.tasks.selectors import asking_count, open_question, task_get
from apps.tasks.states import State

if TYPE_CHECKING:
    from apps.tasks.models import Task

TITLE_CHARACTERS, BODY_CHARACTERS = 120, 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a device shows. `tag`: what replaces it has the same. `waiting`: how many questions wait for the person."""

    title: str
    body: str
    tag: str
    url: str
    is_urgent: bool = False
    waiting: int = 0


def news_of(notice: Notice) -> News | None:
    """None: answered meanwhile, or not (any more) for this person or this device."""
    device, user = notice.subscription, notice.subscription.user
    scopes = _scopes(user, notice.workspace_id)
    task = _task(notice)
    if task is None:
        return None
    kind, text = _kind_and_text(task, notice)
    if kind is None or str(kind) not in device.kinds or NEEDED[kind] not in scopes:
        return None
    return News(
        title=_clipped(f"{_word(task, kind)}: {task.title}", TITLE_CHARACTERS),
        body=_clipped(text, BODY_CHARACTERS),
        tag=str(task.pk),
        url=reverse("admin:tasks_task_change", args=[task.pk]),
        is_urgent=kind is Kind.QUESTION,
        waiting=_waiting(user),
    )


def sample_news() -> News:
    """What a person sends to a device of their own, to see whether it comes."""
    text = "This is what it looks like when an agent needs you."
    return News(title="Notifications reach this device", body=text, tag="test", url=reverse("notifications"))


def _scopes(user: User, workspace_id: uuid.UUID) -> frozenset[Scope]:
    """What they may do there now; nothing, where they may not open the console."""
    if not (user.is_active and user.is_staff):
        return frozenset()
    role = Membership.objects.filter(user=user, workspace_id=workspace_id).values_list("role", flat=True).first()
    if role is None:
        return frozenset()
    return frozenset(Scope) if user.is_superuser else scopes_of(Role(role))


def _task(notice: Notice) -> "Task | None":
    try:
        return task_get(workspace_id=notice.workspace_id, task_id=notice.task_id)
    except NotFoundError:
        return None


def _kind_and_text(task: "Task", notice: Notice) -> tuple[Kind | None, str]:
    """What the task's event is now. A later question has a notice of its own."""
    if notice.event == "asked":
        asked = open_question(task)
        return (Kind.QUESTION, asked.data["question"]) if asked and asked.seq == notice.seq else (None, "")
    if task.state not in (State.FAILED, State.REJECTED):
        return None, ""
    return Kind.STUCK if task.error_code in GIVEN_UP else Kind.FAILED, task.error


def _word(task: "Task", kind: Kind) -> str:
    if kind is Kind.QUESTION:
        return "Needs credentials" if task.state == State.AUTH_REQUIRED else "Asks"
    if kind is Kind.STUCK:
        return "Given up"
    return "Rejected" if task.state == State.REJECTED else "Failed"


def _waiting(user: User) -> int:
    """For the number on the app's icon."""
    answers = [role for role in Role if Scope.TASKS_WRITE in scopes_of(role)]
    mine = Membership.objects.filter(user=user, role__in=answers).values_list("workspace_id", flat=True)
    return asking_count(list(mine))


def _clipped(text: str, most: int) -> str:
    line = _CONTROL.sub(" ", text).strip()
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
