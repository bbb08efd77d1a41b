"""What all that the REST face reads has in common. The models check, and they are the OpenAPI schema.

Bodies are strict: a number is no text and a text is no number. Unknown fields are ignored, and null is as good as
leaving an optional field out, because existing clients send it (where a field is required, null is said).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from apps.core.errors import InvalidError

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


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Of whole numbers, after their limits: JSON has one kind of number, so `3.0` is one too (JSON Schema Core §4.2.3)."""

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
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: value for name, value in said.items() if value is not None or name not in optional}

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
