"""What all answers share."""

from typing import Any

from pydantic import BaseModel

Facts = dict[str, Any]


class Problem(BaseModel):
    """Every refusal. `errors` names the wrong fields."""

    detail: str
    code: str
    errors: dict[str, list[str]] | None = None


class Done(BaseModel):
    success: bool
    message: str


class Paged(BaseModel):
    """`total_capped`: there are more than `total`, which are not counted."""

    total: int
    total_capped: bool = False
    limit: int
    offset: int
