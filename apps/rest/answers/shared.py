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
    total: int
    limit: int
    offset: int
