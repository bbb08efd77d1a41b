"""Recognises in an agent's error that a provider's limit is reached, and reads from it when to try again.

Texts as providers and agent programs write them: Anthropic (429 rate_limit_error, 529 overloaded_error), OpenAI (429
rate_limit_exceeded, insufficient_quota), Google (429 RESOURCE_EXHAUSTED with retryDelay), and the usage limits of
Claude's and Codex' subscriptions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = 24 * 3600.0
UNTOLD = 300.0  # seconds to wait where the text names no time
UNTOLD_QUOTA = 3600.0  # the same where it is no rate but an amount that is used up
_MARGIN = 1.0
_SHORTEST = 5.0

_LIMIT = re.compile(
    r"\b429\b|\b529\b|too many requests|rate.?limit|resource.?exhausted|overloaded|usage limit|session limit"
    r"|(?:hourly|daily|weekly|monthly|opus) limit|limit (?:has been )?reached|hit your (?:\w+ )?limit"
    r"|(?:exceeded|exhausted|reached)\b.{0,40}\bquota|quota.{0,40}\b(?:exceeded|exhausted|reached)"
    r"|insufficient_quota|credit balance is too low|out of (?:extra )?(?:usage|credits)|at capacity",
    re.IGNORECASE | re.DOTALL,
)
_NOT_A_LIMIT = re.compile(
    r"context.{0,20}(?:length|window|limit)|maximum context|prompt is too long|max(?:imum)?.{0,10}tokens"
    r"|(?:output|input|file|size|recursion|step|time) limit",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"insufficient_quota|credit balance|current quota|billing|out of (?:extra )?(?:usage|credits)", re.IGNORECASE
)

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_UNIT = r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
_SPAN = rf"(?:\d+(?:\.\d+)?\s*{_UNIT}(?![a-z])[\s,]*(?:and\s+)?)+"
_SPAN_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|[smhd])", re.IGNORECASE)
_AFTER = re.compile(
    rf"(?:\b(?:in|after|for|within)|retry.?delay\W{{0,4}}|retry.?after\W{{0,4}}|wait)\s*[~:]?\s*(?P<span>{_SPAN})",
    re.IGNORECASE,
)
_HEADER = re.compile(r"retry.?after(?P<ms>.?ms)?\W{1,4}(?P<number>\d+(?:\.\d+)?)\b(?!\s*[a-z:-])", re.IGNORECASE)
_EPOCH = re.compile(
    r"(?:\||reset\w*\W{1,4}(?:at\W{0,3})?|until\W{1,3})(?P<epoch>1[6-9]\d{8}|2[0-4]\d{8})(?P<ms>\d{3})?\b",
    re.IGNORECASE,
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?")
_CLOCK = re.compile(
    r"(?:reset\w*|again|until|available)\s*(?:at|on)?\s*(?:(?P<month>[A-Z][a-z]{2})[a-z]*\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?"
    r"(?:,?\s+\d{4})?,?\s*(?:at\s+)?)?(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s*(?P<half>[ap]\.?m\.?)?\s*\(?(?P<zone>UTC|GMT|[A-Z][A-Za-z_]+/[A-Za-z_/]+)?",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def seconds_to_wait(text: str, *, now: datetime) -> float | None:
    """None where the text tells of no provider's limit. Otherwise from 5 seconds to 24 hours."""
    said = text[:4000]
    if not _LIMIT.search(said) or _NOT_A_LIMIT.search(said):
        return None
    readers: tuple[Callable[[str, datetime], float | None], ...] = (_epoch, _header, _span, _moment, _clock)
    told = next((seconds for read in readers if (seconds := read(said, now)) is not None and seconds > 0), None)
    if told is None:
        told = UNTOLD_QUOTA if _AMOUNT.search(said) else UNTOLD
    return min(LONGEST, max(_SHORTEST, told + _MARGIN))


def _epoch(text: str, now: datetime) -> float | None:
    found = _EPOCH.search(text)
    return int(found["epoch"]) - now.timestamp() if found else None


def _header(text: str, now: datetime) -> float | None:
    found = _HEADER.search(text)
    return float(found["number"]) / (1000 if found["ms"] else 1) if found else None


def _span(text: str, now: datetime) -> float | None:
    found = _AFTER.search(text)
    if found is None:
        return None
    parts = _SPAN_PART.findall(found["span"])
    return sum(float(number) * _UNITS["ms" if unit.lower().startswith(("ms", "mil")) else unit[0].lower()]
               for number, unit in parts)  # fmt: skip


def _moment(text: str, now: datetime) -> float | None:
    found = _ISO.search(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[0].replace(" UTC", "Z").strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()


def _clock(text: str, now: datetime) -> float | None:
    """The next time that a clock shows this hour: in the zone that is named, else in this machine's own."""
    found = _CLOCK.search(text)
    if found is None or not (found["half"] or found["minute"]):
        return None
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower().startswith("p") else 0)
    if hour > 23 or minute > 59:
        return None
    here = now.astimezone(_zone(found["zone"]))
    moment = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if found["month"] and found["month"].lower() in _MONTHS:
        moment = _on_day(moment, _MONTHS.index(found["month"].lower()) + 1, int(found["day"]))
    elif moment <= here:
        moment += timedelta(days=1)
    return (moment - here).total_seconds()


def _on_day(moment: datetime, month: int, day: int) -> datetime:
    """That day of this year, or of the next one where it is long past; LONGEST bounds what comes of it."""
    year = moment.year + (1 if month < moment.month - 6 else 0)
    try:
        return moment.replace(year=year, month=month, day=day)
    except ValueError:
        return moment


def _zone(name: str | None) -> ZoneInfo | timezone | None:
    if not name:
        return None  # astimezone's own: the machine's
    try:
        return ZoneInfo(name) if "/" in name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return None
