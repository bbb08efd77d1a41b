"""Who may call how often: strangers by their address, everybody else by their token and by who they are.

The same for every face. A call is counted once, where it is found out who makes it: strangers are those without
credentials and those whose credentials open nothing. The limits stand in `settings.RATE_LIMITS`: `anonymous`; for known
callers that of their role, else `authenticated`; and `user` for all tokens and sessions of a person together.
"""

import ipaddress
from collections.abc import Sequence

from django.conf import settings

from apps.accounts.principals import Credentials, Principal, acts_as, authenticate, remembered
from apps.core.caller import Caller, caller
from apps.core.db import in_database
from apps.core.errors import UnauthenticatedError
from apps.core.limits import RateLimitedError, Standing, count, count_soon, refused

ANONYMOUS, AUTHENTICATED, USER = "anonymous", "authenticated", "user"
IPV6_NETWORK = 64
"""Bits of an IPv6 address that one subscriber has to themselves (RFC 6177); the rest they choose freely."""

Counted = tuple[str, str, str]
"""A policy's name, its limits, and whose calls are counted."""


async def admitted(credentials: Credentials) -> Principal:
    """Who calls, for whose workspace this context acts from here on: UnauthenticatedError where that is nobody,
    RateLimitedError where they have called too often."""
    try:
        known = remembered(credentials)
        principal = known if known is not None else await in_database(authenticate, credentials)
    except UnauthenticatedError:
        await admit_stranger()
        raise
    acts_as(principal)
    await admit(principal)
    return principal


def admitted_now(credentials: Credentials) -> Principal:
    """The same from a thread."""
    try:
        principal = authenticate(credentials)
    except UnauthenticatedError:
        admit_stranger_now()
        raise
    acts_as(principal)
    admit_now(principal)
    return principal


async def admit_visitor(credentials: Credentials) -> None:
    """Count a call of what is open to all: as a stranger's, unless the caller has just shown who they are."""
    if remembered(credentials) is None:
        await admit_stranger()


async def admit_stranger() -> None:
    """Count a call of nobody; RateLimitedError where the address has made too many."""
    here = caller()
    for counted in _of_stranger(here):
        _settle(here, await count_soon(*counted))


def admit_stranger_now() -> None:
    """The same from a thread."""
    here = caller()
    for counted in _of_stranger(here):
        _settle(here, count(*counted))


async def admit(principal: Principal) -> None:
    """Count a call of somebody known; RateLimitedError where there were too many."""
    if counted := _of(principal):
        here = caller()
        for one in counted:
            if _is_first(here, one[0]):
                _settle(here, await count_soon(*one))


def admit_now(principal: Principal) -> None:
    """The same from a thread."""
    if counted := _of(principal):
        here = caller()
        for one in counted:
            if _is_first(here, one[0]):
                _settle(here, count(*one))


def admit_person_now(user_id: object) -> None:
    """Count a page that somebody opens who is signed in; their role differs between workspaces, so it is not asked."""
    here, tiers = caller(), settings.RATE_LIMITS
    who = f"user:{user_id}"
    for policy in (AUTHENTICATED, USER):
        if policy in tiers and _is_first(here, policy):
            _settle(here, count(policy, tiers[policy], who))


def network_of(address: str) -> str:
    """What an address is counted as: itself, or for IPv6 the network that is one subscriber's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address or "nowhere"
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), IPV6_NETWORK), strict=False))


def _of_stranger(here: Caller) -> Sequence[Counted]:
    limits = settings.RATE_LIMITS.get(ANONYMOUS)
    if not limits or not settings.A2A_AUTH_ENABLED or here.standings or not _is_first(here, ANONYMOUS):
        return ()
    return ((ANONYMOUS, limits, network_of(here.address)),)


def _of(principal: Principal) -> Sequence[Counted]:
    tiers = settings.RATE_LIMITS
    policy = principal.role if principal.role in tiers else AUTHENTICATED
    found = []
    if policy in tiers:
        found.append((str(policy), tiers[policy], principal.identity or f"name:{principal.name}"))
    if USER in tiers and principal.user_id is not None:
        found.append((USER, tiers[USER], f"user:{principal.user_id}"))
    return found


def _is_first(here: Caller, policy: str) -> bool:
    """Whether this call was not counted under the policy yet."""
    return all(standing.policy != policy for standing in here.standings)


def _settle(here: Caller, standings: list[Standing]) -> None:
    """Keep what is to be told with the answer; raise where there is no room."""
    here.standings.extend(standings)
    too_many = refused(standings)
    if too_many is not None:
        whose = "this address" if too_many.policy == ANONYMOUS else "these credentials"
        raise RateLimitedError(
            f"Too many calls: {too_many.item} for {whose} ({too_many.policy}).", retry_after=too_many.seconds
        )
