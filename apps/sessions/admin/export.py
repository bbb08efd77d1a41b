"""A whole session as a file: JSON lines as REST tells its messages, or markdown as a person reads it."""

from collections.abc import Iterator

from apps.core import jsontext
from apps.core.block_text import block_text
from apps.sessions.admin.parts import number_of, part
from apps.sessions.admin.transcript import Turn
from apps.sessions.models import AgentSession
from apps.sessions.selectors import message_facts, messages_count, messages_in_order

ROLES = {"user": "Person", "assistant": "Agent"}


def as_json_lines(session: AgentSession) -> Iterator[bytes]:
    """One message a line, with its parts."""
    for messages in messages_in_order(session):
        yield b"".join(jsontext.dumps(message_facts(message)) + b"\n" for message in messages)


def as_markdown(session: AgentSession) -> Iterator[bytes]:
    """The transcript."""
    yield f"# {session}\n\n`{session.session_id}` · {session.source or 'agent'}\n\n".encode()
    for number in range(number_of(messages_count(session)) + 1):
        yield "".join(_turn(turn) for turn in part(session, number)).encode()


def _turn(turn: Turn) -> str:
    who = ROLES.get(turn.role, turn.role.capitalize())
    head = " · ".join(filter(None, (who, turn.model, f"{turn.at:%Y-%m-%d %H:%M:%S}", turn.spent)))
    return f"## {head}\n\n" + "".join(block_text(block) for block in turn.blocks)
