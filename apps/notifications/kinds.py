"""What people are told of, and who is: a kind of news is for whoever may do something about it."""

from collections.abc import Collection
from enum import StrEnum

from apps.accounts.permissions import Role, Scope, scopes_of


class Kind(StrEnum):
    QUESTION = "question"
    FAILED = "failed"
    STUCK = "stuck"


NEEDED: dict[Kind, Scope] = {
    Kind.QUESTION: Scope.TASKS_WRITE,
    Kind.FAILED: Scope.TASKS_READ,
    Kind.STUCK: Scope.TASKS_WRITE,
}
"""The scope that a kind is for: who may not answer is not asked."""

WORDS: dict[Kind, tuple[str, str]] = {
    Kind.QUESTION: ("An agent asks", "a question, a permission or credentials: it waits for you"),
    Kind.STUCK: ("A task is given up", "its worker vanished in its last attempt, or none took it before its deadline"),
    Kind.FAILED: ("A task fails", "for good: there will be no other attempt"),
}
"""How the page of notifications calls them, and what they are; in the order in which they are shown."""

EVENTS: dict[str, frozenset[Kind]] = {
    "asked": frozenset({Kind.QUESTION}),
    "failed": frozenset({Kind.FAILED, Kind.STUCK}),
    "rejected": frozenset({Kind.FAILED}),
}
"""Which of a log's events may be news, and of which kinds."""

GIVEN_UP = frozenset({"attempts_spent", "deadline_passed"})
"""Codes of failures that no agent and no worker has told of: the server gave the task up."""


def kinds_for(role: Role) -> frozenset[Kind]:
    """What somebody of that role is told of in a workspace, if they wish."""
    return kinds_of(scopes_of(role))


def kinds_of(scopes: Collection[Scope]) -> frozenset[Kind]:
    """The same by what they hold."""
    return frozenset(kind for kind, scope in NEEDED.items() if scope in scopes)
