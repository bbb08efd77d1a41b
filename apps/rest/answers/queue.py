"""Answers about the queue, its limits and its pauses."""

from apps.rest.answers.shared import Done, Paged
from apps.tasks.shapes import Limit, Run


class RunPage(Paged):
    runs: list[Run]


class LimitPage(Paged):
    limits: list[Limit]


class LimitChanged(Done):
    """`limit` is null where nothing is set any more."""

    limit: Limit | None
