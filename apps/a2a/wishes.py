"""What a message's metadata ask of the task that it makes (contract: A2A): where it runs, as what, how soon."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.a2a.incoming import text_of, wrong
from apps.tasks.services import REGISTER_CODEBASE, WORKING_TREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Empty and None: nothing was asked. `deadline_seconds` is how long the task may wait to be claimed.

    `agent` names the agent program. `artifacts` is `files` where the files that the agent makes or changes are wanted.
    `fork`: a new session with the history of the one that the conversation is in, which stays as it is.
    """

    codebase_id: str = ""
    agent_type: str = ""
    agent: str = ""
    model: str = ""
    target_agent: str = ""
    notify_email: str = ""
    concurrency_key: str = ""
    artifacts: str = ""
    priority: int = 0
    deadline_seconds: float | None = None
    fork: bool = False


NOTHING = Wishes()
FILES = "files"
NAMES = tuple(one.name for one in fields(Wishes))
"""By which names of metadata they are asked for."""


def read_wishes(metadata: Mapping[str, Any]) -> Wishes:
    """The wishes in a message's metadata; an InvalidParamsError names what is none."""
    if not metadata:
        return NOTHING
    wishes = Wishes(
        codebase_id=text_of(metadata, "codebase_id", "codebaseId"),
        agent_type=text_of(metadata, "agent_type", "agentType"),
        agent=text_of(metadata, "agent"),
        model=text_of(metadata, "model"),
        target_agent=text_of(metadata, "target_agent", "targetAgent"),
        notify_email=_email(text_of(metadata, "notify_email", "notifyEmail")),
        concurrency_key=text_of(metadata, "concurrency_key", "concurrencyKey"),
        artifacts=text_of(metadata, "artifacts"),
        priority=_priority(metadata.get("priority")),
        deadline_seconds=_seconds(metadata.get("deadline_seconds")),
        fork=_flag(metadata.get("fork")),
    )
    if wishes.artifacts not in ("", FILES):
        raise wrong("metadata.artifacts", f"Give {FILES}, or nothing.")
    if wishes.agent_type in (REGISTER_CODEBASE, WORKING_TREE):
        raise wrong("metadata.agent_type", "The server makes such tasks itself: see the REST interface.")
    return wishes


def _email(text: str) -> str:
    if text:
        try:
            validate_email(text)
        except ValidationError as error:
            raise wrong("metadata.notify_email", "Give an email address.") from error
    return text


def _priority(value: object) -> int:
    """Numbers that came through protobuf are floats."""
    if value is None:
        return 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("metadata.priority", "Give a whole number.")
    return value


def _flag(value: object) -> bool:
    if value is not None and not isinstance(value, bool):
        raise wrong("metadata.fork", "Give true or false.")
    return value or False


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("metadata.deadline_seconds", "Give a number of seconds.")
    return float(value)
