"""Times as clients give them: ISO 8601, or epoch seconds or milliseconds (OpenCode's)."""

from datetime import UTC, datetime

MILLISECONDS_FROM = 10**11
"""Numbers from here on are milliseconds: as seconds they would lie beyond the year 5138."""
LATEST = 253_402_300_799
"""The last second of the year 9999, beyond which neither Python nor people count."""


def parse_time(value: object) -> datetime | None:
    """The moment that `value` names, in UTC; None where it names none. ISO text without a zone is UTC."""
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(float(value))
    return None


def _from_text(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the second: in UTC it would lie before the year 1
        return None


def _from_number(number: float) -> datetime | None:
    seconds = number / 1000 if number >= MILLISECONDS_FROM else number
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds <= LATEST else None
