"""A block that lasts as long as its caller may go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts import permits, principals
from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role, Scope
from apps.accounts.permits import permitted
from apps.accounts.principals import Credentials, Principal, access_changed, authenticate, remembered
from apps.accounts.tokens import Rotation, token_create, token_revoke, token_rotate
from apps.core.db import in_database
from apps.core.errors import ForbiddenError, UnauthenticatedError
from apps.core.waiter import ACCESS
from apps.core.wakeups import hub
from tests.factories import Cast

DEADLINE_SECONDS = 10

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def block(secret: str, then: Callable[[], object] | None = None) -> None:
    """A block without an end of its own; `then` is done once it is open."""
    async with asyncio.timeout(DEADLINE_SECONDS), permitted(Credentials(f"Bearer {secret}"), Scope.TASKS_READ):
        if then is not None:
            await in_database(then)
        await asyncio.Event().wait()


async def test_revoking_ends_it_at_once(cast: Cast) -> None:
    token, secret = await in_database(lambda: token_create(workspace=cast.workspace, name="t", role=Role.VIEWER))
    with pytest.raises(UnauthenticatedError):
        await block(secret, lambda: token_revoke(token=token))


async def test_losing_the_scope_ends_it(cast: Cast) -> None:
    secret = await in_database(lambda: cast.token(Role.VIEWER))

    def narrow() -> None:
        ApiToken.objects.update(scopes=[Scope.CODEBASES_READ])
        access_changed()

    with pytest.raises(ForbiddenError):
        await block(secret, narrow)


async def test_change_while_it_opens_is_not_missed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the token and the beginning of the block."""
    token, secret = await in_database(lambda: token_create(workspace=cast.workspace, name="t", role=Role.VIEWER))

    @asynccontextmanager
    async def slow_room(principal: Principal) -> AsyncIterator[None]:
        await in_database(lambda: token_revoke(token=token))
        while not permits.watch().changes:  # noqa: ASYNC110 (nothing tells the outside)
            await asyncio.sleep(0)
        yield

    monkeypatch.setattr(permits, "one_more", slow_room)
    with pytest.raises(UnauthenticatedError):
        await block(secret)


async def test_lookup_under_way_while_access_changes_is_not_remembered(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await in_database(lambda: cast.token(Role.VIEWER))
    credentials, found = Credentials(f"Bearer {secret}"), principals._from_database

    def slow_lookup(token: str) -> Principal:
        principal = found(token)
        access_changed()
        return principal

    monkeypatch.setattr(principals, "_from_database", slow_lookup)
    await in_database(authenticate, credentials)
    assert remembered(credentials) is None


async def test_expiry_ends_it_to_the_moment(cast: Cast) -> None:
    ends = timezone.now() + timedelta(seconds=0.2)
    secret = await in_database(lambda: cast.token(Role.VIEWER, expires_at=ends))
    with pytest.raises(UnauthenticatedError, match="expired"):
        await block(secret)
    assert timezone.now() - ends < timedelta(seconds=permits.RECHECK_SECONDS / 4)


async def test_lost_wake_up_only_delays_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits, "RECHECK_SECONDS", 0.02)
    monkeypatch.setattr("apps.accounts.principals.REMEMBER_SECONDS", 0.0)
    monkeypatch.setattr("apps.accounts.principals.publish", lambda hint: None)
    token, secret = await in_database(lambda: token_create(workspace=cast.workspace, name="t", role=Role.VIEWER))
    with pytest.raises(UnauthenticatedError):
        await block(secret, lambda: token_revoke(token=token))


async def test_rotating_with_an_overlap_lets_it_go_on(cast: Cast) -> None:
    token, secret = await in_database(lambda: token_create(workspace=cast.workspace, name="t", role=Role.VIEWER))
    async with permitted(Credentials(f"Bearer {secret}"), Scope.TASKS_READ):
        await in_database(lambda: token_rotate(token=token, rotation=Rotation(timedelta(hours=1))))
        await permits.watch().recheck()
        await asyncio.sleep(0)


async def test_of_two_that_open_at_once_both_hear() -> None:
    async def hears() -> bool:
        async with permits.watch().awake():
            return ACCESS in hub()._waiters

    assert await asyncio.gather(hears(), hears()) == [True, True]


async def test_nothing_is_left_behind(cast: Cast) -> None:
    secret = await in_database(lambda: cast.token(Role.VIEWER))
    async with permitted(Credentials(f"Bearer {secret}"), Scope.TASKS_READ):
        assert permits.watch().permits
    assert not permits.watch().permits
    assert permits.watch()._task is None


async def test_timeouts_of_others_stay_what_they_are(cast: Cast) -> None:
    secret = await in_database(lambda: cast.token(Role.VIEWER))

    async def give_up() -> None:
        async with permitted(Credentials(f"Bearer {secret}"), Scope.TASKS_READ), asyncio.timeout(0):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await give_up()
