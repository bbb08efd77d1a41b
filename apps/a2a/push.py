"""Push notification configs of a task: made, shown, listed and deleted (A2A 1.0 §3.1.7 to §3.1.10; 0.3 §7.5).

A config may be made for a task in any state; one that is made after the end hears of the end, so that nobody who asks
for a task just before it ends waits for ever.
"""

from typing import TYPE_CHECKING, Any

import httpx
from a2a.utils.errors import TaskNotFoundError
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.a2a.incoming import pick, text_of, wrong
from apps.a2a.models import PushConfig
from apps.a2a.push_wish import PushWish
from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.core.ids import parse_id
from apps.core.sealing import opened, sealed
from apps.tasks.selectors import is_terminal, task_get

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

CONFIGS_LIMIT = 20
"""Configs of one task."""
PAGE_LIMIT = 100


def config_create(principal: Principal, task_id: str, wish: PushWish) -> Json:
    """Make the task's config of that id, or put it in the place of the one there is, which keeps its place."""
    with deed(principal.name):
        task = task_get(workspace_id=principal.workspace_id, task_id=task_id)
        return _view(_put(principal, task, wish, is_new=False), principal)


def config_follows_message(principal: Principal, task: "Task", wish: PushWish, *, is_reply: bool) -> None:
    """The config that came along with a message, in the transaction that made `task` of it or handed it to that.

    A message that was sent again makes none: its first sending did, and it may have been deleted since.
    """
    is_new = not is_reply and _made_just_now(task)
    if is_new or is_reply:
        with deed(principal.name):
            _put(principal, task, wish, is_new=is_new)


def config_get(principal: Principal, task_id: str, config_id: str) -> Json:
    """The config of that id; without one the oldest. TaskNotFoundError where there is none (1.0 §3.1.8)."""
    found = _of_task(principal, task_id)
    if config_id:
        found = found.filter(config_id=config_id)
    config = found.order_by("created_at", "id").first()
    if config is None:
        raise TaskNotFoundError("There is no such push notification config.")
    return _view(config, principal)


def configs_list(principal: Principal, params: Json) -> Json:
    """A page of the task's configs, oldest first; `nextPageToken` is empty on the last."""
    task_id = text_of(params, "taskId", "task_id") or text_of(params, "id")
    if not task_id:
        raise wrong("taskId", "Give the task's id.")
    size = _page_size(params)
    found = _of_task(principal, task_id).order_by("id")
    if token := text_of(params, "pageToken", "page_token"):
        after = parse_id(token)
        if after is None:
            raise wrong("pageToken", "Give the nextPageToken of the page before.")
        found = found.filter(id__gt=after)
    page = list(found[: size + 1])
    next_token = str(page[size - 1].id) if len(page) > size else ""
    return {"configs": [_view(config, principal) for config in page[:size]], "nextPageToken": next_token}


def config_delete(principal: Principal, task_id: str, config_id: str) -> Json:
    """No more is sent there. Deleting what is not there (any more) is no error (1.0 §3.1.10)."""
    with deed(principal.name):
        found = _of_task(principal, task_id).order_by("created_at", "id").select_for_update()
        config = (found.filter(config_id=config_id) if config_id else found).first()
        if config is not None:
            config.delete()
            _record(Action.PUSH_REMOVE, config, by=principal.name)
    return {}


def _of_task(principal: Principal, task_id: str) -> QuerySet[PushConfig]:
    task = task_get(workspace_id=principal.workspace_id, task_id=task_id)
    return PushConfig.objects.filter(workspace_id=principal.workspace_id, task_id=task.id)


def _put(principal: Principal, task: "Task", wish: PushWish, *, is_new: bool) -> PushConfig:
    """A config that is not there from the task's beginning is due at once: what happened meanwhile told nobody."""
    place = PushConfig(workspace_id=task.workspace_id, task_id=task.id, config_id=wish.config_id)
    values: Json = {
        "url": wish.url,
        "host": httpx.URL(wish.url).netloc.decode(),
        "token": sealed(place, "token", wish.token),
        "scheme": wish.scheme,
        "credentials": sealed(place, "credentials", wish.credentials),
        "version": wish.version,
        "attempts": 0,
        "failing_since": None,
        "last_error": "",
        "given_up_at": None,
        "due_at": None if is_new else Now(),
    }
    began = {"workspace_id": task.workspace_id, "created_by": principal.name, "sent_seq": _heard_at_first(task)}
    _one_at_a_time(task)
    config, is_made = PushConfig.objects.update_or_create(
        task_id=task.id, config_id=wish.config_id, defaults=values, create_defaults={**values, **began}
    )
    if is_made and not is_new and PushConfig.objects.filter(task_id=task.id).count() > CONFIGS_LIMIT:
        raise wrong("taskId", f"The task has {CONFIGS_LIMIT} push notification configs already; delete one.")
    _record(Action.PUSH_SET, config, by=principal.name, is_new=is_made)
    return config


def _record(action: Action, config: PushConfig, *, by: str, **details: bool) -> None:
    """Who is told, and of what; without the address's path, where some receivers have their secret."""
    said = {"config_id": config.config_id, "host": config.host, **details}
    record(action, workspace_id=config.workspace_id, by=by, target=f"task:{config.task_id}", details=said)


def _heard_at_first(task: "Task") -> int:
    """Up to where the log is no news to the client; of a task that has ended, its end is."""
    return task.last_seq - 1 if is_terminal(task) else task.last_seq


def _one_at_a_time(task: "Task") -> None:
    """Others that make a config of this task wait until this transaction ends, so that the limit holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"push:{task.id}"])


def _made_just_now(task: "Task") -> bool:
    """Whether the present transaction made the task; one that was found by its idempotency key is older."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        ((transaction_id,),) = cursor.fetchall()
    return task.last_seq == 1 and bool(task.position == transaction_id)


def _view(config: PushConfig, principal: Principal) -> Json:
    """The config in 1.0's spelling; its secrets only for who may make one."""
    view: Json = {"taskId": str(config.task_id), "id": config.config_id, "url": config.url}
    is_writer = Scope.TASKS_WRITE in principal.scopes
    if config.token and is_writer:
        view["token"] = opened(config, "token")
    if config.scheme:
        is_told = bool(config.credentials) and is_writer
        secret = {"credentials": opened(config, "credentials")} if is_told else {}
        view["authentication"] = {"scheme": config.scheme, **secret}
    return view


def _page_size(params: Json) -> int:
    size = pick(params, "pageSize", "page_size")
    if isinstance(size, float) and size.is_integer():
        size = int(size)
    if size in (None, 0):
        return PAGE_LIMIT
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= PAGE_LIMIT:
        raise wrong("pageSize", f"Give a whole number from 1 to {PAGE_LIMIT}.")
    return size
