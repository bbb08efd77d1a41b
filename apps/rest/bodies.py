"""What the REST face reads: one model per body and per query string. They check, and they are the OpenAPI schema.

Bodies are strict: a number is no text and a text is no number. Unknown fields are ignored, and null is as good as
leaving an optional field out, because existing clients send it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.json_schema import SkipJsonSchema

from apps.core.errors import InvalidError
from apps.tasks.states import State

LIMIT_DEFAULT = 50
LIMIT_MOST = 200
OFFSET_MOST = 2**31
PATH_LIMIT = 4096
NAME_LIMIT = 200
TEXT_LIMIT = 1_000_000


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("Give a time.")  # noqa: TRY004 (pydantic reads ValueError)
    return value


Moment = Annotated[datetime, Field(strict=False), BeforeValidator(_no_flag), AfterValidator(_in_utc)]
"""A time as ISO 8601 (without an offset: UTC), or as seconds or milliseconds since 1970."""

Name = Annotated[str, Field(max_length=NAME_LIMIT)]
Text = Annotated[str, Field(max_length=TEXT_LIMIT)]


class Body(BaseModel):
    """Base of all bodies; by itself the body of an operation that needs none."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="ignore", frozen=True)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """The checked body; InvalidError names each wrong field."""
        try:
            return cls.model_validate(said)
        except ValidationError as error:
            raise refusal(error) from error

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, said: Any) -> Any:
        if not isinstance(said, dict) or None not in said.values():
            return said
        return {name: value for name, value in said.items() if value is not None or name not in cls.model_fields}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any:
        """Optional fields take null as well."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        required = schema.get("required", [])
        for name, field in schema.get("properties", {}).items():
            if name not in required:
                schema["properties"][name] = {"anyOf": [field, {"type": "null"}]}
        return schema


class Query(BaseModel):
    """Base of all query strings."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", frozen=True)

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """The checked query; InvalidError names each wrong parameter."""
        said = {name: given[name] for name in cls.model_fields if given.get(name)}
        if any("\0" in value for value in said.values()):
            raise InvalidError("The query holds a NUL character, which no text here may hold.")
        try:
            return cls.model_validate(said)
        except ValidationError as error:
            raise refusal(error) from error


def refusal(error: ValidationError) -> InvalidError:
    """What is wrong, by field; nested fields are spelled with dots."""
    errors: dict[str, list[str]] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        errors.setdefault(".".join(str(part) for part in one["loc"]) or "body", []).append(one["msg"])
    names = ", ".join(errors)
    return InvalidError(f"The request cannot be taken as it is: {names}.", errors=errors)


# Query strings -------------------------------------------------------------------------------------------------------


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


class LogQuery(Query):
    """Which part of a task's log: events with a greater `seq`, at most `limit`."""

    after_seq: Annotated[int, Field(ge=0, lt=2**62)] = 0
    limit: Annotated[int, Field(ge=1), AfterValidator(lambda limit: min(limit, LIMIT_MOST))] = LIMIT_DEFAULT


class RemovalQuery(Query):
    force: bool = False


# Codebases -----------------------------------------------------------------------------------------------------------


class AgentConfig(Body):
    """How agents work in a codebase."""

    default_model: Name = ""
    auto_approve: bool = True
    max_iterations: Annotated[int, Field(ge=1, le=1000)] = 10
    working_directory: Annotated[str, Field(max_length=PATH_LIMIT)] = ""


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


class TriggerBody(Body):
    prompt: Text
    agent: Name = ""
    model: Name = ""
    files: Annotated[list[Annotated[str, Field(max_length=PATH_LIMIT)] | NamedFile], Field(max_length=1000)] = []
    metadata: TaskMetadata = TaskMetadata()


class MessageBody(Body):
    message: Text
    agent: Name = ""
    model: Name = ""


# Tasks ---------------------------------------------------------------------------------------------------------------


class TaskBody(Body):
    """A new task; the limits of each field are checked by the heart, which names what is wrong in the same way."""

    title: str
    prompt: str
    agent_type: str = ""
    model: str = ""
    priority: int = 0
    codebase_id: str = ""
    target_agent: str = ""
    deadline_seconds: float | SkipJsonSchema[None] = None
    max_attempts: int = 3
    requires: Annotated[list[Name], Field(max_length=50)] = []
    context_id: str = ""
    metadata: TaskMetadata = TaskMetadata()


class ReasonBody(Body):
    reason: Annotated[str, Field(max_length=2000)] = ""


class InputBody(Body):
    message: str
    data: dict[str, Any] = {}


class ApprovalBody(Body):
    """`option_id` names one of the question's options; without it the agent takes its first fitting one."""

    approved: bool = True
    option_id: Name = ""
    message: Annotated[str, Field(max_length=10_000)] = ""


class PriorityBody(Body):
    priority: int


class ClaimedBody(Body):
    """What a worker sends about a task that it holds. Workers of before know no claim token."""

    worker_id: Name = ""
    claim_token: Name = ""


class OutputBody(ClaimedBody):
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


# Sessions ------------------------------------------------------------------------------------------------------------


class SessionMessagesQuery(Page):
    session_id: Name


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
    prompt: Text
    agent: Name = ""
    model: Name = ""


# Tokens --------------------------------------------------------------------------------------------------------------


class TokenBody(Body):
    name: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]
    role: Literal["viewer", "operator", "admin", "worker"] = "operator"
    scopes: Annotated[list[Name], Field(max_length=50)] = []
    expires_at: Moment | SkipJsonSchema[None] = None
