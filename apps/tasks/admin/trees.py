"""Working trees on the pages of tasks and codebases: how they stand, and the buttons that merge or discard one."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.console import DialogForm, WorkspaceAdmin, action, after_dialog
from apps.tasks.models import Task
from apps.tasks.selectors import tree_of_task, trees_of
from apps.tasks.services import NAME_LIMIT, TreeWish, working_tree_act
from apps.tasks.tree_models import WorkingTree

SHOWN = 20
TONES = {"active": "info", "kept": "warning", "merged": "success", "lost": "danger"}


class MergeForm(DialogForm):
    into = forms.CharField(
        required=False,
        max_length=NAME_LIMIT,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A branch. Empty: the one from which the working tree was made.",
    )
    strategy = forms.ChoiceField(
        choices=[("merge", "Merge: its commits and one that joins them"), ("squash", "Squash: one commit")],
        widget=UnfoldAdminSelectWidget(),
    )


class TreeActions(WorkspaceAdmin):
    """The two buttons on a task's page; `?codebase`: on its codebase's, where they lead back to."""

    @action(
        description="Merge",
        permissions=["steer"],
        icon="merge",
        dialog={
            "title": "Merge the working tree of this task?",
            "description": "Its worker does it, as a task of its own. A conflict changes nothing.",
            "form_class": MergeForm,
            "form_submit_text": "Merge",
        },
    )
    def merge(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        said = form.cleaned_data
        return self._act(request, object_id, TreeWish(action="merge", into=said["into"], strategy=said["strategy"]))

    @action(
        description="Discard",
        permissions=["steer"],
        variant="danger",
        icon="delete",
        dialog={
            "title": "Discard the working tree of this task?",
            "description": "Its folder and its branch go, with all that is not merged.",
            "form_class": DialogForm,
            "form_submit_text": "Discard",
        },
    )
    def discard(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._act(request, object_id, TreeWish(action="discard"))

    def _act(self, request: HttpRequest, object_id: str, wish: TreeWish) -> HttpResponse:
        task = self.get_object(request, object_id)
        if task is None:
            raise Http404
        by = request.user.get_username()
        codebase = task.codebase_id if "codebase" in request.GET else None
        done = f"Its worker is asked to {wish.action} the working tree, unless that was done before."
        self.attempt(
            request,
            lambda: working_tree_act(workspace_id=task.workspace_id, task_id=task.pk, wish=wish, by=by),
            done,
        )
        place = ("tasks_task", task.pk) if codebase is None else ("codebases_codebase", codebase)
        return after_dialog(reverse(f"admin:{place[0]}_change", args=[place[1]]))


def useful_on_tree(task: Task | None) -> frozenset[str]:
    """Which of the two buttons would do something."""
    tree = tree_of_task(task) if task is not None else None
    return _useful(tree) if tree is not None else frozenset()


def _useful(tree: WorkingTree) -> frozenset[str]:
    if tree.state == WorkingTree.State.KEPT:
        return frozenset({"merge", "discard"})
    return frozenset({"discard"}) if tree.dirty else frozenset()


def tree_shown(task: Task) -> dict[str, Any] | None:
    """What a task's page says of its working tree."""
    tree = tree_of_task(task)
    return None if tree is None else {"tree": tree, "tone": TONES.get(tree.state, "default")}


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A working tree on a codebase's page; `task` is the last that worked in it, `steps` the buttons."""

    tree: WorkingTree
    tone: str
    task: uuid.UUID | None
    steps: Sequence[str]


def trees_left(codebase: Any) -> list[TreeLine]:
    """The trees of a codebase of which something is left, the latest SHOWN."""
    found = trees_of(codebase.workspace_id).filter(codebase_id=codebase.pk)
    left = found.filter(Q(state__in=["active", "kept"]) | Q(dirty=True)).exclude(state="empty")
    return [
        TreeLine(
            tree,
            TONES.get(tree.state, "default"),
            tree.task_ids[-1] if tree.task_ids else None,
            sorted(_useful(tree), reverse=True) if tree.task_ids else (),
        )
        for tree in left[:SHOWN]
    ]
