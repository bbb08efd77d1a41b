"""Answers about working trees of tasks."""

from apps.rest.answers.shared import Paged
from apps.tasks.shapes import WorkingTree


class TreePage(Paged):
    working_trees: list[WorkingTree]
