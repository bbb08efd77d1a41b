"""Creations beside the removal of their codebase: none is left where no worker would ever look."""

import pytest

from apps.core.errors import NotFoundError
from apps.tasks.models import Task
from apps.tasks.services import (
    NewTask,
    Outcome,
    codebase_remove,
    event_from_worker,
    limit_set,
    task_create,
    task_finish,
    task_progress,
)
from apps.tasks.states import State
from tests.concurrency.actors import Actor, wait_until_blocked
from tests.factories import Cast


def test_task_for_a_codebase_that_is_being_removed_is_refused(cast: Cast, first: Actor, second: Actor) -> None:
    shop, workspace_id = cast.codebase(), cast.workspace.id
    first.begin().do(codebase_remove, workspace_id=workspace_id, codebase_id=shop.id, by="ada")
    new = NewTask(title="t", prompt="p", codebase_id=shop.id)
    creation = second.start(task_create, workspace_id=workspace_id, new=new, by="bob")
    wait_until_blocked(second, first)
    first.commit()
    with pytest.raises(NotFoundError):
        creation.result(10)
    assert not Task.objects.exists()


def test_task_is_made_when_the_removal_is_taken_back(cast: Cast, first: Actor, second: Actor) -> None:
    shop, workspace_id = cast.codebase(), cast.workspace.id
    first.begin().do(codebase_remove, workspace_id=workspace_id, codebase_id=shop.id, by="ada")
    new = NewTask(title="t", prompt="p", codebase_id=shop.id)
    creation = second.start(task_create, workspace_id=workspace_id, new=new, by="bob")
    wait_until_blocked(second, first)
    first.roll_back()
    assert creation.result(10).codebase_id == shop.id


def test_removal_cancels_a_task_that_was_just_being_made(cast: Cast, first: Actor, second: Actor) -> None:
    shop, workspace_id = cast.codebase(), cast.workspace.id
    new = NewTask(title="t", prompt="p", codebase_id=shop.id)
    task = first.begin().do(task_create, workspace_id=workspace_id, new=new, by="bob")
    removal = second.start(codebase_remove, workspace_id=workspace_id, codebase_id=shop.id, by="ada")
    wait_until_blocked(second, first)
    first.commit()
    assert [ended.id for ended in removal.result(10)] == [task.id]
    assert Task.objects.get().state == "cancelled"


def test_unknown_codebase_makes_no_task_though_another_has_no_key(cast: Cast) -> None:
    cast.task()
    with pytest.raises(NotFoundError):
        cast.task(codebase_id="unknown")
    assert Task.objects.count() == 1


def test_forced_removal_waits_for_a_holder_without_a_lock_that_the_holder_needs(
    cast: Cast, first: Actor, second: Actor
) -> None:
    shop, workspace_id = cast.codebase(), cast.workspace.id
    limit_set(workspace_id=workspace_id, kind="codebase", key=shop.id, most=2, by="ada")
    one, other = cast.held(codebase_id=shop.id), cast.held(codebase_id=shop.id)
    said = event_from_worker("status", {"message": "at it"})
    second.begin().do(task_progress, claim=one, reported=[said])
    removal = first.start(codebase_remove, workspace_id=workspace_id, codebase_id=shop.id, by="ada", force=True)
    wait_until_blocked(first, second)
    second.do(task_finish, claim=one, outcome=Outcome(status=State.COMPLETED))
    second.commit()
    assert [ended.id for ended in removal.result(10)] == [other.task_id]
