"""How the commands on access say things: times, lengths of time, and which workspace and token are meant."""

import re
from datetime import datetime, timedelta

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.accounts.models import ApiToken, Workspace
from apps.core.ids import parse_id

_LENGTH = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def length(said: str) -> timedelta:
    """`90d`, `24h`, `15m` or `30s`."""
    found = _LENGTH.fullmatch(said)
    if found is None:
        raise CommandError(f"{said!r} is no length of time: say 90d, 24h, 15m or 30s.")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def end(said: str) -> datetime | None:
    """When something ends: a length of time from now, or a moment in ISO 8601 (UTC where it names no zone)."""
    if not said:
        return None
    if _LENGTH.fullmatch(said):
        return timezone.now() + length(said)
    moment = _moment(said)
    if moment is None:
        raise CommandError(f"{said!r} is no time: say 90d, or 2030-01-31T12:00:00Z.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _moment(said: str) -> datetime | None:
    try:
        return parse_datetime(said)
    except ValueError:
        return None


def workspace(slug: str) -> Workspace:
    """The workspace of that slug."""
    found = Workspace.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Workspace.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(f"There is no workspace {slug!r}; there are: {known}.")
    return found


def token(said: str) -> ApiToken:
    """The token of that id, or the only one whose secret begins so (as lists show it)."""
    known = parse_id(said)
    found = ApiToken.objects.filter(id=known) if known else ApiToken.objects.filter(hint=said)[:2]
    if len(found) != 1:
        raise CommandError(f"{said!r} means no token, or several: give an id, as `manage.py list_tokens` shows it.")
    return found[0]
