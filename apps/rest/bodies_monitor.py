"""The bodies of the monitor's operations."""

from typing import Annotated

from pydantic import Field

from apps.rest.reading import NAME_LIMIT, Body, Text


class InterventionBody(Body):
    agent_id: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]
    message: Annotated[Text, Field(min_length=1)]
