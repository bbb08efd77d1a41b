"""The query strings that the REST face reads."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from apps.rest.reading import NAME_LIMIT, Moment, Name, Query
from apps.tasks.states import State

LIMIT_DEFAULT = 50
LIMIT_MOST = 200
OFFSET_MOST = 2**31


class Page(Query):
    """Which part of a list; more than LIMIT_MOST entries are never given at once."""

    limit: Annotated[int, Field(ge=1), AfterValidator(lambda limit: min(limit, LIMIT_MOST))] = LIMIT_DEFAULT
    offset: Annotated[int, Field(ge=0, le=OFFSET_MOST)] = 0


class CodebaseQuery(Page):
    status: Literal["", "pending", "active"] = ""
    worker_id: Name = ""
    q: Name = ""


class TaskOfCodebaseQuery(Page):
    status: State | None = None
    worker_id: Name = ""
    agent_type: Name = ""
    context_id: Name = ""
    q: Name = ""


class TaskQuery(TaskOfCodebaseQuery):
    codebase_id: Name = ""


class RunQuery(Page):
    """`status` is the task's; `task_id` alone narrows as much as can be."""

    status: State | None = None
    codebase_id: Name = ""
    task_id: Name = ""


class FileQuery(Page):
    origin: Literal["", "client", "worker"] = ""


class TreeQuery(Page):
    state: Literal["", "active", "kept", "merged", "discarded", "empty", "lost"] = ""


class LogQuery(Query):
    """Which part of a task's log: events with a greater `seq`, at most `limit`."""

    after_seq: Annotated[int, Field(ge=0, lt=2**62)] = 0
    limit: Annotated[int, Field(ge=1), AfterValidator(lambda limit: min(limit, LIMIT_MOST))] = LIMIT_DEFAULT


class AuditQuery(Query):
    """Which entries of the trail: texts match as a whole, `since` is included and `until` is not."""

    action: Name = ""
    outcome: Literal["", "done", "refused"] = ""
    actor: Annotated[str, Field(max_length=255)] = ""
    target: Annotated[str, Field(max_length=255)] = ""
    since: Moment | None = None
    until: Moment | None = None
    before: Annotated[int, Field(ge=1, lt=2**62)] | None = None
    limit: Annotated[int, Field(ge=1), AfterValidator(lambda limit: min(limit, LIMIT_MOST))] = LIMIT_DEFAULT


class AuditExportQuery(Query):
    after: Annotated[int, Field(ge=0, lt=2**62)] = 0


class RemovalQuery(Query):
    force: bool = False


class MachineSessionsQuery(Page):
    source: Name = ""
    project_id: Name = ""
    directory: Annotated[str, Field(max_length=4096)] = ""


class MachinePartsQuery(Page):
    message_id: Name = ""


class SessionsQuery(Page):
    q: Name = ""


class SessionMessagesQuery(Page):
    session_id: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]
