"""Who came in and who went, in the audit trail: of the workspace that it was for, else of the person's own."""

import uuid
from collections.abc import Iterable

from apps.accounts.login_models import LoginSession
from apps.accounts.models import User
from apps.accounts.refusals import home_of, trail_of
from apps.audit.actions import Action
from apps.audit.recording import record
from apps.core.tenancy import EVERYWHERE, acting

PROVIDER = "identity provider"
SIGNED_OUT = "signed out"


def sign_in_note(*, user: User, means: str, workspace_id: uuid.UUID | None = None) -> None:
    """Somebody has come in by `means`. Part of the transaction that lets them in."""
    with acting(EVERYWHERE):
        _note(Action.SIGN_IN, _where(user, workspace_id), user, "", means)


def sign_out_note(*, user: User) -> None:
    """Somebody has left a browser that no `LoginSession` tells of."""
    with acting(EVERYWHERE):
        _note(Action.SIGN_OUT, _where(user, None), user, "", SIGNED_OUT)


def logins_end_note(*, logins: Iterable[LoginSession], why: str, by: str = "") -> None:
    """These logins have ended, by their persons unless `by` says by whom else. Their users are loaded."""
    with acting(EVERYWHERE):
        ended = [(_where(login.user, login.workspace_id), login.user) for login in logins]
        for where, user in sorted(ended, key=lambda one: one[0]):  # chains in one order: nobody waits crosswise
            _note(Action.SIGN_OUT, where, user, by, why)


def _where(user: User, workspace_id: uuid.UUID | None) -> uuid.UUID:
    return trail_of(workspace_id or home_of(user))


def _note(action: Action, where: uuid.UUID, user: User, by: str, how: str) -> None:
    name = user.get_username()
    record(action, workspace_id=where, by=by or name, target=f"user:{user.pk}", details={"username": name, "how": how})
