"""A session's messages in parts of equal length, so that a page shows some of a long one (as the page of a task does).

Part `n` has the messages at the places n*PART+1 to (n+1)*PART.
"""

from apps.sessions.admin.transcript import AROUND, Turn, turns
from apps.sessions.models import AgentSession
from apps.sessions.selectors import messages_between

PART = 40
"""Messages."""


def number_of(place: int) -> int:
    """The part in which the message at a place is."""
    return max(0, place - 1) // PART


def part(session: AgentSession, number: int) -> list[Turn]:
    """One part; empty where the session has no messages there. Calls and results across its ends find each other."""
    first, after = number * PART, max(0, number * PART - AROUND)
    read = turns(messages_between(session, after, first + PART + AROUND), after + 1)
    return [turn for turn in read if first < turn.seq <= first + PART]
