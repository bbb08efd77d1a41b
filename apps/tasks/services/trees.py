"""What changes working trees: workers tell of them, and people have them merged or discarded.

Merging and discarding are tasks of their own, which only the worker that holds the tree may claim.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from django.db import transaction
from django.db.models.functions import Now

from apps.audit.actions import Action
from apps.audit.recording import record
from apps.codebases.selectors import codebases_of
from apps.core.errors import ConflictError, NotFoundError
from apps.core.ids import parse_id
from apps.tasks.errors import TaskNotFoundError
from apps.tasks.models import Task
from apps.tasks.services.create import TITLE_LIMIT, NewTask, task_create
from apps.tasks.services.programs import kept_by
from apps.tasks.services.steer import LIVE
from apps.tasks.tree_models import WorkingTree, tree_with

WORKING_TREE = "working_tree"
"""The agent type of the tasks that merge or discard a tree."""
State = WorkingTree.State


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTree:
    """What a worker says of one of its trees; see `WorkingTree`."""

    tree_id: str
    state: str
    branch: str
    base: str
    head: str
    codebase_id: str = ""
    task_ids: Sequence[uuid.UUID] = ()
    base_branch: str = ""
    dirty: bool = False
    left: Sequence[str] = ()
    files: int = 0
    insertions: int = 0
    deletions: int = 0
    merged_into: str = ""


def working_trees_report(
    *, workspace_id: uuid.UUID, worker_id: str, trees: Sequence[ToldTree], held: Sequence[str] | None = None
) -> None:
    """Note how a worker's trees stand. `held`, where given, names all that it has: the others are lost."""
    codebases = {tree.codebase_id for tree in trees}
    known = set(codebases_of(workspace_id).filter(id__in=codebases).values_list("id", flat=True))
    with transaction.atomic():
        for told in sorted(trees, key=lambda tree: tree.tree_id):
            said = {**asdict(told), "task_ids": list(told.task_ids), "left": list(told.left), "updated_at": Now()}
            said["codebase_id"] = told.codebase_id if told.codebase_id in known else ""
            WorkingTree.objects.update_or_create(
                workspace_id=workspace_id, worker_id=worker_id, tree_id=said.pop("tree_id"), defaults=said
            )
        if held is not None:
            present = [*held, *(tree.tree_id for tree in trees)]
            open_ones = WorkingTree.objects.filter(
                workspace_id=workspace_id, worker_id=worker_id, state__in=[State.ACTIVE, State.KEPT]
            )
            open_ones.exclude(tree_id__in=present).update(state=State.LOST, updated_at=Now())


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeWish:
    """What to do with a tree. `into`: the branch to merge into; empty: the one that it was made from."""

    action: Literal["merge", "discard"]
    into: str = ""
    strategy: Literal["merge", "squash"] = "merge"


@dataclass(frozen=True, slots=True)
class TreeAnswer:
    """The task that does it; None where it was done before, which `message` says."""

    tree: WorkingTree
    task: Task | None
    message: str


def working_tree_act(*, workspace_id: uuid.UUID, task_id: object, wish: TreeWish, by: str) -> TreeAnswer:
    """Have the working tree of a task merged or discarded by its worker. Asked twice, it is done once.

    NotFoundError where the task has none, ConflictError while work goes on in it, or where nothing is left of it.
    """
    parsed = parse_id(task_id)
    task = Task.objects.filter(workspace_id=workspace_id, id=parsed).first() if parsed else None
    if task is None:
        raise TaskNotFoundError("There is no such task.")
    with transaction.atomic():
        tree = tree_with(workspace_id=workspace_id, task_id=task.id)
        if tree is None:
            raise NotFoundError("The task has no working tree of its own.", code="working_tree_not_found")
        tree = WorkingTree.objects.select_for_update(no_key=True).get(pk=tree.pk)
        done = _done_before(tree, wish)
        if done:
            return TreeAnswer(tree, None, done)
        _check_rest(tree)
        present = _under_way(tree, wish)
        made = present or task_create(workspace_id=workspace_id, new=_asked(task, tree, wish, by), by=by)
        if present is None:
            _record(made, task, tree, wish, by)
    return TreeAnswer(tree, made, f"Its worker, {tree.worker_id}, is asked to {wish.action} it.")


def _record(made: Task, task: Task, tree: WorkingTree, wish: TreeWish, by: str) -> None:
    action = Action.TREE_MERGE if wish.action == "merge" else Action.TREE_DISCARD
    said = {"branch": tree.branch, "worker_id": tree.worker_id, "into": wish.into, "by_task": made.id}
    record(action, workspace_id=tree.workspace_id, by=by, target=f"task:{task.id}", details=said)


def _done_before(tree: WorkingTree, wish: TreeWish) -> str:
    """What to say where nothing is to be done; ConflictError where nothing can be."""
    if wish.action == "merge" and tree.state == State.MERGED:
        return f"It is merged into {tree.merged_into} already."
    if wish.action == "discard" and tree.state != State.LOST and tree.state not in (State.ACTIVE, State.KEPT):
        return "" if tree.dirty else f"It is {tree.state} already; nothing is left to discard."
    if tree.state not in (State.ACTIVE, State.KEPT):
        raise ConflictError(_GONE[State(tree.state)], code="working_tree_gone")
    return ""


_GONE = {
    State.DISCARDED: "The working tree was discarded.",
    State.EMPTY: "The task has changed nothing, so there is nothing to merge.",
    State.LOST: "The worker does not have this working tree any more.",
}


def _check_rest(tree: WorkingTree) -> None:
    """Nobody may be at work in it, nor about to be."""
    live = [str(state) for state in LIVE]
    if Task.objects.filter(workspace_id=tree.workspace_id, id__in=tree.task_ids, state__in=live).exists():
        raise ConflictError("A task that works in this tree has not ended.", code="working_tree_busy")


def _under_way(tree: WorkingTree, wish: TreeWish) -> Task | None:
    """The task that does the same already; ConflictError for one that does something else with the tree."""
    asked = Task.objects.filter(
        workspace_id=tree.workspace_id, agent_type=WORKING_TREE, state__in=[str(state) for state in LIVE],
        metadata__working_tree__id=tree.tree_id, metadata__working_tree__worker_id=tree.worker_id,
    )  # fmt: skip
    task = asked.first()
    if task is not None and any(task.metadata[WORKING_TREE][name] != getattr(wish, name) for name in _WISHED):
        raise ConflictError("Another action on this tree is under way.", code="working_tree_busy")
    return task


_WISHED = ("action", "into", "strategy")


def _asked(task: Task, tree: WorkingTree, wish: TreeWish, by: str) -> NewTask:
    into = wish.into or tree.base_branch or "its target"
    what = f"Merge {tree.branch} into {into}" if wish.action == "merge" else f"Discard {tree.branch}"
    said = {"id": tree.tree_id, "worker_id": tree.worker_id, "task_id": str(task.id), "subject": task.title, "by": by}
    return NewTask(
        title=f"{what}: {task.title}"[:TITLE_LIMIT],
        prompt=f"{what}, the working tree of the task {task.id}.",
        agent_type=WORKING_TREE,
        codebase_id=tree.codebase_id,
        requires=[kept_by(tree.worker_id)],
        metadata={WORKING_TREE: {**said, **{name: getattr(wish, name) for name in _WISHED}}},
    )
