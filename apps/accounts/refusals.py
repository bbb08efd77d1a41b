"""Refusals in the audit trail: who was not let in, and where. Each is written in a transaction of its own, and no more
than an `Allowance` of them: a stranger costs the disk no more than a little.

Whoever brings no credentials at all is not written down: that is how a program learns that it needs some.
"""

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import Error, transaction
from django.db.models import Q

from apps.accounts.models import ApiToken, Membership, User, Workspace
from apps.audit.actions import Action, Outcome
from apps.audit.allowance import REFUSALS
from apps.audit.recording import record
from apps.core.caller import Caller, caller
from apps.core.tenancy import EVERYWHERE, acting

log = logging.getLogger(__name__)

NOBODY_KNOWN = "nobody known"


def is_refusal(status: int) -> bool:
    """Whether an answer with this HTTP status refuses somebody who has shown who they are, or has tried to."""
    here = caller()
    return status in (401, 403) and bool(here.brought or here.name)


def refusal_note(*, way: str, status: int) -> None:
    """Write down that the caller was refused at `way` (`GET /path`). A database that is away refuses nobody more."""
    here = caller()
    with acting(EVERYWHERE):
        _note(Action.ACCESS, target=way, details={"status": status}, who=lambda: _refused(here))


def sign_in_refusal_note(*, username: str, why: str, means: str) -> None:
    """Write down that somebody was not let in under that name.

    A name that nobody has is not told: it may be a password in the wrong field.
    """

    def who() -> tuple[str, uuid.UUID | None]:
        known = username and "\0" not in username
        user = User.objects.filter(username=username).first() if known else None
        return (user.get_username(), home_of(user)) if user is not None else (NOBODY_KNOWN, None)

    with acting(EVERYWHERE):
        _note(Action.SIGN_IN, target=means, details={"why": why}, who=who)


def home_of(user: User) -> uuid.UUID | None:
    """The oldest workspace that the person is in."""
    mine = Membership.objects.filter(user=user).order_by("workspace__created_at")
    return mine.values_list("workspace_id", flat=True).first()


def trail_of(workspace_id: uuid.UUID | None) -> uuid.UUID:
    """In whose trail it is written: the workspace's; where there is none to name, the default one's."""
    if workspace_id is not None:
        return workspace_id
    return Workspace.objects.values_list("id", flat=True).get(slug=Workspace.DEFAULT_SLUG)


def _note(action: Action, *, target: str, details: Mapping[str, Any], who: Any) -> None:
    left_out = REFUSALS.take(caller().address)
    if left_out is None:
        return
    told = {**details, **({"left_out_before": left_out} if left_out else {})}
    try:
        with transaction.atomic():
            name, workspace_id = who()
            record(
                action, workspace_id=trail_of(workspace_id), by=name, target=target, details=told,
                outcome=Outcome.REFUSED,
            )  # fmt: skip
    except Error as error:
        log.warning("a refusal is not in the audit trail, the database does not take it: %s", error)


def _refused(here: Caller) -> tuple[str, uuid.UUID | None]:
    """Who is known; or the token, where it was one that counts no more."""
    if here.name:
        return here.name, here.workspace_id
    ended = ApiToken.objects.filter(Q(digest=here.brought) | Q(previous_digest=here.brought)).first()
    return (ended.name, ended.workspace_id) if ended is not None else (NOBODY_KNOWN, None)
