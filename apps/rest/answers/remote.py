"""Answers about remote agents."""

from apps.federation.shapes import RemoteAgent
from apps.rest.answers.shared import Done, Paged


class RemoteAgentPage(Paged):
    agents: list[RemoteAgent]


class RemoteAgentChanged(Done):
    agent: RemoteAgent
