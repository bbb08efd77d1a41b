"""How often somebody may try a password: counted per name and address, per name, and per address.

Every try is counted before the password is looked at, so many at once gain nothing (`apps/core/limits.py`). The limits
stand in `settings.RATE_LIMITS`: `login`, `login_address` and `login_name`.
"""

import hashlib

from django.conf import settings

from apps.accounts.admission import network_of
from apps.core.errors import CodeTetherError
from apps.core.limits import count, forget, refused

LOGIN, LOGIN_ADDRESS, LOGIN_NAME = "login", "login_address", "login_name"


class TooManyLoginsError(CodeTetherError):
    """Too many tries; `retry_after` says when the next one is looked at."""

    status, code = 429, "too_many_logins"


def login_try(*, username: str, address: str) -> None:
    """Count a try; TooManyLoginsError where it is one too many."""
    for policy, who in _counted(username, address).items():
        too_many = refused(count(policy, settings.RATE_LIMITS.get(policy, ""), who))
        if too_many is not None:
            raise TooManyLoginsError("Too many tries to sign in: wait, then try again.", retry_after=too_many.seconds)


def login_succeeded(*, username: str, address: str) -> None:
    """Whoever knows the password is no guesser: forget their tries from here."""
    forget(LOGIN, settings.RATE_LIMITS.get(LOGIN, ""), _counted(username, address)[LOGIN])


def _counted(username: str, address: str) -> dict[str, str]:
    """Whose tries are counted, by policy; a name goes in as a digest, since anybody may send anything as one."""
    name = hashlib.sha256(username.casefold().encode("utf-8", "surrogatepass")).hexdigest()[:32]
    network = network_of(address)
    return {LOGIN: f"{name}/{network}", LOGIN_ADDRESS: network, LOGIN_NAME: name}
