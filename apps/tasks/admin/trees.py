"""Working trees on the pages of tasks and codebases: how they stand, and the buttons that merge or discard one."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.console import DialogForm, WorkspaceAdmin, action, after_dialog
from apps.tasks.models import Task
from apps.tasks.selectors import tree_of_task, trees_of
from apps.tasks.services import NAME_LIMIT, TreeWish, working_tree_act
from apps.tasks.tree_models import WorkingTree

SHOWN = 50
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
    """The two buttons on a task's page."""

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
        done = f"Its worker is asked to {wish.action} the working tree, unless that was done before."
        self.attempt(
            request,
            lambda: working_tree_act(workspace_id=task.workspace_id, task_id=task.pk, wish=wish, by=by),
            done,
        )
        return after_dialog(reverse("admin:tasks_task_change", args=[task.pk]))


def useful_on_tree(task: Task | None) -> frozenset[str]:
    """Which of the two buttons would do something."""
    tree = tree_of_task(task) if task is not None else None
    if tree is None:
        return frozenset()
    if tree.state == WorkingTree.State.KEPT:
        return frozenset({"merge", "discard"})
    return frozenset({"discard"}) if tree.dirty else frozenset()


def tree_shown(task: Task) -> dict[str, Any] | None:
    """What a task's page says of its working tree."""
    tree = tree_of_task(task)
    return None if tree is None else {"tree": tree, "tone": TONES.get(tree.state, "default")}


def trees_shown(codebase: Any) -> SafeString | None:
    """The trees of a codebase of which something is left, each with a link to the last task in it."""
    found = trees_of(codebase.workspace_id).filter(codebase_id=codebase.pk)
    left = [tree for tree in found.exclude(state="empty")[:SHOWN] if tree.state in ("active", "kept") or tree.dirty]
    return format_html_join("", "{}", ((_line(tree),) for tree in left)) if left else None


def _line(tree: WorkingTree) -> SafeString:
    url = reverse("admin:tasks_task_change", args=[tree.task_ids[-1]]) if tree.task_ids else ""
    return format_html(
        '<p><a class="ct-link ct-mono" href="{}">{}</a> <span class="ct-label ct-{}">{}</span> '
        '<span class="ct-subtle">{} files, +{} −{}{}, on {}</span></p>',
        url, tree.branch, TONES.get(tree.state, "default"), tree.state, tree.files, tree.insertions, tree.deletions,
        f"; not committed: {', '.join(tree.left)}" if tree.left else "", tree.worker_id,
    )  # fmt: skip
