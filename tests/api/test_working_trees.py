"""Working trees: workers tell of them, people see them, and have them merged or discarded where they are."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from apps.codebases.models import Codebase
from apps.tasks.models import Task
from apps.tasks.selectors import tree_of_task
from apps.tasks.services import (
    Outcome,
    ToldTree,
    TreeWish,
    task_finish,
    working_tree_act,
    working_trees_report,
)
from apps.tasks.states import State
from apps.tasks.tree_models import WorkingTree
from apps.workers.models import Worker
from apps.workers.selectors import claimer_of
from tests.api.conftest import Api
from tests.factories import Cast

MERGE, DISCARD = {"action": "merge"}, {"action": "discard"}


def told(task: Task, codebase: Codebase, state: str = "kept", **more: Any) -> ToldTree:
    said = {"branch": "codetether/t1", "base": "a1", "head": "b2", "base_branch": "main", "files": 2, "insertions": 3}
    return ToldTree(tree_id="t1", state=state, codebase_id=codebase.id, task_ids=[task.id], **{**said, **more})


@pytest.fixture
def shop(cast: Cast) -> Codebase:
    return cast.codebase()


@pytest.fixture
def done(cast: Cast, shop: Codebase) -> Task:
    """A task that has ended and left a tree on worker w1."""
    task = cast.task(codebase_id=shop.id)
    claim = cast.held(task)
    task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, result="done"))
    tell(cast, told(task, shop))
    return Task.objects.get(pk=task.pk)


def tell(cast: Cast, *trees: ToldTree, **more: Any) -> None:
    working_trees_report(workspace_id=cast.workspace.id, worker_id="w1", trees=trees, **more)


def url(task: Task) -> str:
    return f"/v1/opencode/tasks/{task.id}/working-tree"


def actions() -> list[Task]:
    return list(Task.objects.filter(agent_type="working_tree"))


def test_a_task_shows_its_tree(api: Api, done: Task, shop: Codebase) -> None:
    tree = api.get(f"/v1/opencode/tasks/{done.id}").json()["working_tree"]
    assert (tree["id"], tree["branch"], tree["state"], tree["worker_id"]) == ("t1", "codetether/t1", "kept", "w1")
    assert (tree["files"], tree["insertions"], tree["dirty"], tree["codebase_id"]) == (2, 3, False, shop.id)


def test_a_task_that_worked_in_place_has_none(api: Api, cast: Cast) -> None:
    assert api.get(f"/v1/opencode/tasks/{cast.task().id}").json()["working_tree"] is None


def test_a_codebase_lists_its_trees(api: Api, done: Task, shop: Codebase) -> None:
    listed = api.get(f"/v1/opencode/codebases/{shop.id}/working-trees").json()
    assert ([tree["id"] for tree in listed["working_trees"]], listed["total"]) == (["t1"], 1)
    assert api.get(f"/v1/opencode/codebases/{shop.id}/working-trees", state="merged").json()["total"] == 0


def test_merging_is_a_task_for_the_worker_that_has_the_tree(api: Api, done: Task, shop: Codebase) -> None:
    answer = api.post(url(done), {"action": "merge", "into": "main", "strategy": "squash"}).json()
    (task,) = actions()
    assert answer["task"]["id"] == str(task.id)
    assert (task.queue, task.requires) == (shop.id, ["worker:w1"])
    said = task.metadata["working_tree"]
    assert {name: said[name] for name in ("id", "task_id", "action", "into", "strategy")} == {
        "id": "t1", "task_id": str(done.id), "action": "merge", "into": "main", "strategy": "squash",
    }  # fmt: skip


def test_no_other_worker_may_take_it(api: Api, done: Task, cast: Cast, shop: Codebase) -> None:
    api.post(url(done), MERGE)
    (task,) = actions()
    of = {"workspace_id": cast.workspace.id, "codebases": [shop.id], "capabilities": ["worker:w1"]}
    other, holder = (claimer_of(Worker(worker_id=name, **of), bound=[]) for name in ("w2", "w1"))
    assert not set(task.requires) <= set(other.capabilities)
    assert set(task.requires) <= set(holder.capabilities)


def test_asked_twice_it_is_one_task(api: Api, done: Task) -> None:
    first, second = (api.post(url(done), MERGE).json()["task"]["id"] for _ in range(2))
    assert first == second
    assert len(actions()) == 1


def test_another_action_meanwhile_is_refused(api: Api, done: Task) -> None:
    api.post(url(done), MERGE)
    answer = api.post(url(done), DISCARD)
    assert (answer.status_code, answer.json()["code"]) == (409, "working_tree_busy")
    assert len(actions()) == 1


@pytest.mark.parametrize(("state", "body", "message"), [
    ("merged", MERGE, "It is merged into main already."),
    ("merged", DISCARD, "It is merged already; nothing is left to discard."),
    ("discarded", DISCARD, "It is discarded already; nothing is left to discard."),
    ("empty", DISCARD, "It is empty already; nothing is left to discard."),
])  # fmt: skip
def test_what_was_done_before_is_said(
    api: Api, cast: Cast, done: Task, shop: Codebase, state: str, body: dict[str, str], message: str
) -> None:
    tell(cast, told(done, shop, state, merged_into="main"))
    answer = api.post(url(done), body).json()
    assert (answer["message"], answer["task"], actions()) == (message, None, [])


@pytest.mark.parametrize("state", ["discarded", "empty", "lost"])
def test_of_what_is_gone_nothing_is_merged(api: Api, done: Task, state: str) -> None:
    WorkingTree.objects.update(state=state)
    answer = api.post(url(done), MERGE)
    assert (answer.status_code, answer.json()["code"], actions()) == (409, "working_tree_gone", [])


def test_while_a_task_works_in_it_a_tree_stays(api: Api, cast: Cast, done: Task, shop: Codebase) -> None:
    second = cast.task(codebase_id=shop.id)
    tell(cast, replace(told(done, shop, "active"), task_ids=[done.id, second.id]))
    answer = api.post(url(done), DISCARD)
    assert (answer.status_code, answer.json()["code"], actions()) == (409, "working_tree_busy", [])


def test_a_task_without_a_tree_has_nothing_to_merge(api: Api, cast: Cast) -> None:
    answer = api.post(url(cast.task()), MERGE)
    assert (answer.status_code, answer.json()["code"], actions()) == (404, "working_tree_not_found", [])


def test_another_workspaces_tree_is_not_there(api: Api, cast: Cast, done: Task) -> None:
    stranger = api.bearing(cast.elsewhere().token())
    assert stranger.post(url(done), DISCARD).status_code == 404
    assert actions() == []


def test_a_viewer_merges_nothing(api: Api, cast: Cast, done: Task) -> None:
    assert api.bearing(cast.token(Role.VIEWER)).post(url(done), MERGE).status_code == 403
    assert actions() == []


def test_such_tasks_are_made_in_no_other_way(api: Api) -> None:
    body = {"title": "t", "prompt": "p", "agent_type": "working_tree"}
    assert api.post("/v1/opencode/tasks", body).status_code == 400
    assert actions() == []


def test_a_worker_tells_by_http_what_a_task_then_shows(api: Api, cast: Cast, shop: Codebase) -> None:
    task = cast.task(codebase_id=shop.id)
    worker = api.bearing(cast.token(Role.WORKER))
    worker.post("/v1/opencode/workers/register", {"worker_id": "w1", "name": "w1"})
    tree = {"id": "t9", "codebase_id": shop.id, "task_ids": [str(task.id)], "branch": "codetether/t9", "base": "a1",
            "head": "b2", "state": "active", "left": [".env"], "dirty": True}  # fmt: skip
    told = worker.put("/v1/worker/working-trees", {"worker_id": "w1", "trees": [tree], "held": ["t9"]})
    assert told.json() == {"success": True, "trees": 1}
    shown = api.get(f"/v1/opencode/tasks/{task.id}").json()["working_tree"]
    assert (shown["id"], shown["state"], shown["left"], shown["worker_id"]) == ("t9", "active", [".env"], "w1")


def test_trees_that_a_worker_has_no_more_are_lost(cast: Cast, done: Task) -> None:
    tell(cast, held=["t2"])
    tree = tree_of_task(done)
    assert tree is not None
    assert tree.state == "lost"


def test_a_worker_tells_of_its_own_trees_only(cast: Cast, done: Task, shop: Codebase) -> None:
    theirs = [told(done, shop, "discarded")]
    working_trees_report(workspace_id=cast.workspace.id, worker_id="w2", trees=theirs, held=[])
    assert WorkingTree.objects.get(worker_id="w1").state == "kept"


def test_a_codebase_elsewhere_is_not_noted(cast: Cast, done: Task) -> None:
    tell(cast, told(done, cast.elsewhere().codebase("theirs")))
    assert WorkingTree.objects.get().codebase_id == ""


def test_nobody_speaks_to_a_merge(api: Api, cast: Cast, done: Task, shop: Codebase) -> None:
    api.post(url(done), MERGE)
    (merge,) = actions()
    cast.held(merge)
    answer = api.post(f"/v1/opencode/codebases/{shop.id}/message", {"message": "Hello?"}).json()
    assert answer["task_id"] != str(merge.id)


# The console


@pytest.fixture
def otto(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.user("otto", Role.OPERATOR, is_staff=True))
    return client


def test_the_task_page_shows_the_tree_and_merges_it(otto: Client, done: Task) -> None:
    page = otto.get(reverse("admin:tasks_task_change", args=[done.pk])).content.decode()
    assert "codetether/t1" in page
    merge = reverse("admin:tasks_task_merge", args=[done.pk])
    assert merge in page
    otto.post(merge, {"_form_submitted": "on", "into": "", "strategy": "merge"})
    (task,) = actions()
    assert (task.created_by, task.metadata["working_tree"]["action"]) == ("otto", "merge")


def test_the_codebase_page_shows_what_is_not_merged(otto: Client, done: Task, shop: Codebase) -> None:
    page = otto.get(reverse("admin:codebases_codebase_change", args=[shop.pk])).content.decode()
    assert "codetether/t1" in page


def test_a_merged_tree_has_no_buttons(otto: Client, cast: Cast, done: Task, shop: Codebase) -> None:
    tell(cast, told(done, shop, "merged", merged_into="main"))
    page = otto.get(reverse("admin:tasks_task_change", args=[done.pk])).content.decode()
    assert reverse("admin:tasks_task_merge", args=[done.pk]) not in page


def test_a_viewer_discards_nothing_from_the_console(cast: Cast, done: Task) -> None:
    client = Client()
    client.force_login(cast.user("vera", Role.VIEWER, is_staff=True))
    client.post(reverse("admin:tasks_task_discard", args=[done.pk]), {"_form_submitted": "on"})
    assert actions() == []


def test_discarding_by_the_service_names_who_asked(cast: Cast, done: Task) -> None:
    answer = working_tree_act(
        workspace_id=cast.workspace.id, task_id=done.id, wish=TreeWish(action="discard"), by="ada"
    )
    assert answer.task is not None
    assert answer.task.metadata["working_tree"]["by"] == "ada"
