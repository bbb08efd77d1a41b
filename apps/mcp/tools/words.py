"""Arguments that several tools take, and answers that several give."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, Field

from apps.tasks.services import DEADLINE_LIMIT, PRIORITY_LIMIT, TITLE_LIMIT

NAME_LIMIT = 200
TEXT_LIMIT = 1_000_000
PAGE = 20
PAGE_MOST = 50
WAIT_MOST_SECONDS = 55.0
"""Many clients give a call up after a minute."""


def _capped(most: int) -> AfterValidator:
    return AfterValidator(lambda limit: min(limit, most))


def _no_flag(value: object) -> object:
    """True is no number, though Python takes it for one."""
    if isinstance(value, bool):
        raise ValueError("Give a number.")  # noqa: TRY004 (pydantic reads ValueError)
    return value


Number = BeforeValidator(_no_flag)

TaskId = Annotated[
    str,
    Field(
        description="The task's id, as the tools that make or list tasks give it.",
        min_length=1,
        max_length=NAME_LIMIT,
        validation_alias=AliasChoices("task_id", "id"),
    ),
]
CodebaseId = Annotated[
    str, Field(description="The codebase's id, as list_codebases gives it.", min_length=1, max_length=NAME_LIMIT)
]
AgentName = Annotated[
    str,
    Field(
        description="The agent's role (`code-reviewer`), or the name of a remote agent; discover_agents lists them.",
        min_length=1,
        max_length=NAME_LIMIT,
        validation_alias=AliasChoices("agent_name", "target_agent", "name"),
    ),
]
InCodebase = Annotated[
    str,
    Field(
        description="Where to work: a codebase's id, or `global` for any worker. Left out: your active codebase, else "
        "`global`.",
        max_length=NAME_LIMIT,
    ),
]
OnlyCodebase = Annotated[
    str, Field(description="Only of this codebase: its id, or `global` for tasks of none.", max_length=NAME_LIMIT)
]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]
Message = Annotated[Text, Field(description="What to say to the agent, in plain words.")]
Title = Annotated[str, Field(description="What the task is, in a few words.", min_length=1, max_length=TITLE_LIMIT)]
ModelId = Annotated[
    str,
    Field(
        description="The model to use, as list_models gives it. Left out: the codebase's or worker's own choice.",
        max_length=NAME_LIMIT,
    ),
]
AgentType = Annotated[
    Literal["build", "plan", "explore", "general"] | None,
    Field(description="How it works: `build` changes code, `plan` and `explore` only look, `general` answers."),
]
Priority = Annotated[
    int,
    Field(description="A higher one is taken earlier; 0 is usual.", ge=-PRIORITY_LIMIT, le=PRIORITY_LIMIT),
    Number,
]
Deadline = Annotated[
    Annotated[float, Field(gt=0, le=DEADLINE_LIMIT), Number] | None,
    Field(description="Seconds within which a worker must have taken the task, else it fails. Left out: it may wait."),
]
SameConversation = Annotated[
    str,
    Field(
        description="The conversation's id, as send_message and get_task (context_id) give it.",
        min_length=1,
        max_length=NAME_LIMIT,
        validation_alias=AliasChoices("conversation_id", "context_id", "contextId"),
    ),
]
Conversation = Annotated[
    str,
    Field(
        description="The conversation to go on with, as an earlier answer gives it; its agent remembers what was said. "
        "Left out: a new one.",
        max_length=NAME_LIMIT,
        validation_alias=AliasChoices("conversation_id", "context_id", "contextId"),
    ),
]
Key = Annotated[
    str,
    Field(
        description="Any text of your own: the same call with the same key within 24 hours is done once, and answered "
        "alike.",
        max_length=255,
    ),
]
Status = Annotated[
    Literal[
        "pending",
        "running",
        "input_required",
        "auth_required",
        "completed",
        "failed",
        "cancelled",
        "rejected",
    ]
    | None,
    Field(description="Only tasks in this state."),
]
Query = Annotated[str, Field(description="Only those that hold this text.", max_length=NAME_LIMIT)]
Limit = Annotated[
    int, Field(description=f"How many to give at once, {PAGE_MOST} at most.", ge=1), Number, _capped(PAGE_MOST)
]
Cursor = Annotated[
    str,
    Field(
        description="Where to go on: the next_cursor of the answer before. Left out: at the beginning.",
        max_length=NAME_LIMIT,
    ),
]
AfterSeq = Annotated[
    int,
    Field(description="Only events with a greater seq: the next_seq of the answer before.", ge=0, lt=2**62),
    Number,
]
Wait = Annotated[
    float,
    Field(
        description=f"Seconds to wait for something new where there is nothing yet, {WAIT_MOST_SECONDS:.0f} at most.",
        ge=0,
    ),
    Number,
    AfterValidator(lambda seconds: min(seconds, WAIT_MOST_SECONDS)),
]


class Done(BaseModel):
    success: bool
    message: str


class Listed(BaseModel):
    """A part of a list; `next_cursor` is null at its end, and `total` is capped where `total_capped` says so."""

    total: int
    total_capped: bool = False
    next_cursor: str | None
