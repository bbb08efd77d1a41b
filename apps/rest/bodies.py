"""The bodies that the REST face reads."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from apps.accounts.permissions import Scope
from apps.codebases.rules import RULE, RULE_LENGTH, RULES_MOST
from apps.rest.reading import NAME_LIMIT, TEXT_LIMIT, WHOLE, Body, Moment, Name, Text
from apps.tasks.services import DEADLINE_LIMIT, MAX_ATTEMPTS_LIMIT, MOST_LIMIT, PRIORITY_LIMIT, TITLE_LIMIT

PATH_LIMIT = 4096
NOT_BLANK = r"[^\s\x00-\x1f\x85]"


def described(**limits: Any) -> Any:
    """Limits that the description tells and a service checks, which has better words for what is wrong."""
    return Field(json_schema_extra=limits)


Prompt = Annotated[Text, described(pattern=NOT_BLANK)]
Said = Annotated[str, described(pattern=NOT_BLANK, maxLength=TEXT_LIMIT)]
Word = Annotated[str, described(maxLength=NAME_LIMIT)]

# Codebases -----------------------------------------------------------------------------------------------------------


Program = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$", max_length=64)]


Amount = Annotated[float, Field(ge=0, le=10**9)]
Rules = Annotated[list[Annotated[str, Field(pattern=RULE, max_length=RULE_LENGTH)]], Field(max_length=RULES_MOST)]


class AgentConfig(Body):
    """How agents work in a codebase, and what an attempt may use there; zero sets no limit.

    `parallel`: a worker may run several of its tasks at once in the one folder.

    `program`: the agent program that works in it, by the name under which workers have it; empty: the worker's choice.
    """

    program: Program = ""
    default_model: Name = ""
    auto_approve: bool = True
    max_iterations: Annotated[int, Field(ge=1, le=1000), WHOLE] = 10
    working_directory: Annotated[str, Field(max_length=PATH_LIMIT)] = ""
    working_tree: Literal["in_place", "worktree"] = "in_place"
    parallel: bool = False
    allow: Rules = []
    deny: Rules = []
    max_minutes: Amount = 0
    max_cost_usd: Amount = 0
    max_tokens: Annotated[int, Field(ge=0, le=10**12), WHOLE] = 0
    fallback_models: Annotated[list[Name], Field(max_length=20)] = []


CodebaseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]*$", max_length=128)]


class CodebaseBody(Body):
    name: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]
    path: Annotated[str, Field(min_length=1, max_length=PATH_LIMIT)]
    description: Annotated[str, Field(max_length=10_000)] | SkipJsonSchema[None] = None
    agent_config: AgentConfig | SkipJsonSchema[None] = None
    worker_id: Name = ""
    codebase_id: CodebaseId = ""


class CodebaseChanges(Body):
    """What may change; `path` and `worker_id` may be repeated but not changed."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)] | SkipJsonSchema[None] = None
    description: Annotated[str, Field(max_length=10_000)] | SkipJsonSchema[None] = None
    agent_config: AgentConfig | SkipJsonSchema[None] = None
    path: Annotated[str, Field(max_length=PATH_LIMIT)] | SkipJsonSchema[None] = None
    worker_id: Name | SkipJsonSchema[None] = None


class NamedFile(Body):
    """A file that the agent should look at."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="allow", frozen=True)

    path: Annotated[str, Field(min_length=1, max_length=PATH_LIMIT)]


class TaskMetadata(Body):
    """What clients attach. These names mean something; all others are kept as they are."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="allow", frozen=True)

    model: Name = ""
    resume_session_id: Name = ""
    notify_email: Name = ""
    concurrency_key: Name = ""
    max_minutes: Amount = 0
    max_cost_usd: Amount = 0
    max_tokens: Annotated[int, Field(ge=0, le=10**12), WHOLE] = 0


class TriggerBody(Body):
    prompt: Prompt
    agent: Name = ""
    model: Name = ""
    concurrency_key: Name = ""
    files: Annotated[list[Annotated[str, Field(max_length=PATH_LIMIT)] | NamedFile], Field(max_length=1000)] = []
    metadata: TaskMetadata = TaskMetadata()


class MessageBody(Body):
    message: Prompt
    agent: Name = ""
    model: Name = ""


# Tasks ---------------------------------------------------------------------------------------------------------------


Priority = Annotated[int, described(minimum=-PRIORITY_LIMIT, maximum=PRIORITY_LIMIT), WHOLE]


class TaskBody(Body):
    """A new task; the limits of each field are checked by the heart, which names what is wrong in the same way."""

    title: Annotated[str, described(pattern=NOT_BLANK, maxLength=TITLE_LIMIT)]
    prompt: Said
    agent_type: Word = ""
    model: Word = ""
    priority: Priority = 0
    codebase_id: Word = ""
    target_agent: Word = ""
    deadline_seconds: Annotated[float, described(exclusiveMinimum=0, maximum=DEADLINE_LIMIT)] | SkipJsonSchema[None] = (
        None
    )
    max_attempts: Annotated[int, described(minimum=1, maximum=MAX_ATTEMPTS_LIMIT), WHOLE] = 3
    requires: Annotated[list[Name], Field(max_length=50)] = []
    context_id: Word = ""
    concurrency_key: Word = ""
    metadata: TaskMetadata = TaskMetadata()


class ReasonBody(Body):
    reason: Annotated[str, Field(max_length=2000)] = ""


class InputBody(Body):
    message: Said
    data: dict[str, Any] = {}


class ApprovalBody(Body):
    """`option_id` names one of the question's options; without it the agent takes its first fitting one."""

    approved: bool = True
    option_id: Name = ""
    message: Annotated[str, Field(max_length=10_000)] = ""


class TreeBody(Body):
    """What to do with a task's working tree. `into`: a branch; empty: the one from which the tree was made."""

    action: Literal["merge", "discard"]
    into: Name = ""
    strategy: Literal["merge", "squash"] = "merge"


class PriorityBody(Body):
    priority: Priority


class ClaimedBody(Body):
    """What a worker sends about a task that it holds. Workers of before know no claim token."""

    worker_id: Name = ""
    claim_token: Name = ""


class OutputBody(ClaimedBody):
    """`output` or, as workers of before spell it, `content`."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"anyOf": [
            {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}
            for name in ("output", "content")
        ]}
    )  # fmt: skip

    output: Text = ""
    content: Text = ""
    type: Literal["text", "reasoning", "stdout", "stderr"] = "text"


class StatusBody(ClaimedBody):
    status: Literal["running", "completed", "failed", "cancelled"]
    session_id: Name = ""
    result: Text = ""
    error: Text = ""
    error_code: Name = ""
    usage: dict[str, Any] = {}


# Queue ---------------------------------------------------------------------------------------------------------------


class PlaceBody(Body):
    """A part of the queue. `key` is the codebase's id (or `global`), the worker's, or tasks' concurrency key."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"anyOf": [
            {"properties": {"kind": {"const": "workspace"}, "key": {"type": ["string", "null"], "maxLength": 0}}},
            {"properties": {"kind": {"not": {"const": "workspace"}}, "key": {"type": "string", "minLength": 1}},
             "required": ["key"]},
        ]}
    )  # fmt: skip

    kind: Literal["workspace", "codebase", "worker", "key"]
    key: Name = ""


class LimitBody(PlaceBody):
    """`most` tasks may be held at once; null takes the limit away."""

    most: Annotated[int, described(minimum=1, maximum=MOST_LIMIT), WHOLE] | None


class PauseBody(PlaceBody):
    reason: Name = ""


# Sessions ------------------------------------------------------------------------------------------------------------


class SyncBody(Body):
    """What a worker syncs; `apps.sessions.reading` reads each entry, in all spellings."""

    worker_id: Name = ""
    source: Name = ""


class SessionsBody(SyncBody):
    sessions: list[dict[str, Any]]


class MessagesBody(SyncBody):
    messages: list[dict[str, Any]]


class IngestBody(SyncBody):
    session: dict[str, Any] = {}
    messages: list[dict[str, Any]] = []


class ResumeBody(Body):
    prompt: Prompt
    agent: Name = ""
    model: Name = ""


class ForkBody(ResumeBody):
    title: Name = ""


# Tokens --------------------------------------------------------------------------------------------------------------


class TokenBody(Body):
    name: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]
    role: Literal["viewer", "operator", "admin", "worker"] = "operator"
    scopes: Annotated[list[Annotated[Name, described(enum=list(Scope))]], Field(max_length=50)] = []
    codebases: Annotated[list[Name], Field(max_length=1000)] = []
    expires_at: Moment | SkipJsonSchema[None] = None


class RotationBody(Body):
    overlap_seconds: Annotated[int, Field(ge=0, le=2_592_000), WHOLE] = 0
    expires_at: Moment | SkipJsonSchema[None] = None
