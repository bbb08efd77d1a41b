"""The bodies that are read about variables."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from apps.rest.reading import Body

AgentTypes = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=20)]


class VariableBody(Body):
    """What is said of a variable. What is left out stays; a new one needs its `value`, and is a secret."""

    value: Annotated[str, Field(max_length=65_536)] | SkipJsonSchema[None] = None
    kind: Literal["variable", "secret"] | SkipJsonSchema[None] = None
    description: Annotated[str, Field(max_length=500)] | SkipJsonSchema[None] = None
    agent_types: AgentTypes | SkipJsonSchema[None] = None
