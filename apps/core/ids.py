"""Identifiers. Ours are UUIDv7 (RFC 9562 §5.7): unique without coordination, and ordered by time."""

import uuid
from datetime import datetime

import uuid_utils.compat


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 as the standard library's type."""
    made: uuid.UUID = uuid_utils.compat.uuid7()
    return made


def first_id_at(at: datetime) -> uuid.UUID:
    """The smallest id that can have been made at that millisecond: ids from then on are not smaller."""
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)


def new_id_text() -> str:
    """A fresh UUIDv7 as text, for primary keys that clients may also choose."""
    return str(new_id())


def parse_id(text: object) -> uuid.UUID | None:
    """The UUID in `text`, or None where it is anything else: an unknown id is 'not found', never an error."""
    if isinstance(text, uuid.UUID):
        return text
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None
