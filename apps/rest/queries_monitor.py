"""The query strings of the monitor's operations."""

from typing import Annotated

from pydantic import Field

from apps.rest.queries import Page
from apps.rest.reading import NAME_LIMIT, Name


class SaidQuery(Page):
    agent_id: Name = ""
    conversation_id: Name = ""


class SoughtQuery(Page):
    q: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]
