"""How the arguments of every tool are read: what clients send beside the point is let pass, what cannot be kept is not.

Models often fill each argument that they see with null: for one that may be left out, that says nothing. A text that
the database could not hold is refused here, where it can be said which one it is.
"""

from typing import Any, ClassVar

import orjson
from pydantic import BaseModel, ConfigDict, create_model, model_validator

from apps.core import jsontext
from apps.core.errors import MalformedError


class Read(BaseModel):
    """Base of every tool's arguments; others than the tool's are ignored."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _said(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        wrong = [f"{name}: {why}" for name, value in given.items() if (why := _unfit(value))]
        if wrong:
            raise ValueError(" ".join(wrong))
        needed = {name for name, field in cls.model_fields.items() if field.is_required()}
        return {name: value for name, value in given.items() if value is not None or name in needed}


def read_leniently[M: BaseModel](model: type[M]) -> type[M]:
    """The model of a tool's arguments, read as `Read` does."""
    return create_model(model.__name__, __base__=(Read, model))  # type: ignore[arg-type]  # it is both


def _unfit(value: object) -> str:
    """Why no text in `value` may be kept; empty where each may."""
    try:
        jsontext.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except (orjson.JSONEncodeError, RecursionError):
        return "This is too large a number, or no text in UTF-8."
    except MalformedError as error:
        return error.detail.replace("The body", "This")
    return ""
