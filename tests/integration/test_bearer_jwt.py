"""JWTs of the identity provider as bearer tokens: which are believed, and what the people behind them may do."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from apps.accounts import people
from apps.accounts.models import Membership, User, Workspace
from apps.accounts.oidc import provider as provider_module
from apps.accounts.oidc_models import OidcIdentity
from apps.accounts.permissions import Role
from apps.accounts.principals import Credentials, Principal, authenticate, forget_tokens, remembered
from apps.core.errors import CodeTetherError, ForbiddenError, UnauthenticatedError, UnavailableError
from tests.factories import Cast
from tests.fakes.forged_tokens import OPERATOR, forged
from tests.fakes.identity_provider import IdentityProvider, Key


@pytest.fixture
def idp(settings: Any, cast: Cast) -> Iterator[IdentityProvider]:
    """The configured provider."""
    with IdentityProvider() as running:
        settings.OIDC = running.settings()
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        yield running


def by(token: str) -> Principal:
    forget_tokens()
    return authenticate(Credentials(f"Bearer {token}"))


def test_an_access_token_is_its_persons_with_the_role_that_it_says(idp: IdentityProvider, cast: Cast) -> None:
    caller = by(idp.token(preferred_username="ada", **OPERATOR))
    assert (caller.name, caller.role, caller.workspace_id) == ("ada", Role.OPERATOR, cast.workspace.id)
    assert by(idp.token(**OPERATOR)).user_id == caller.user_id
    assert User.objects.count() == OidcIdentity.objects.count() == 1


def test_no_forged_token_is_believed_and_nothing_is_written(idp: IdentityProvider) -> None:
    for what, token in forged(idp).items():
        with pytest.raises(UnauthenticatedError):
            print(what, by(token))
    assert not User.objects.exists()


def test_a_token_counts_no_longer_than_it_says_however_fresh_the_memory(idp: IdentityProvider, settings: Any) -> None:
    settings.OIDC = idp.settings(leeway=0)
    token = idp.token(exp=time.time() + 1.2, iat=time.time(), **OPERATOR)
    credentials = Credentials(f"Bearer {token}")
    assert authenticate(credentials).role is Role.OPERATOR
    assert remembered(credentials) is not None
    deadline = time.monotonic() + 4
    while remembered(credentials) is not None:
        assert time.monotonic() < deadline
    with pytest.raises(UnauthenticatedError):
        by(token)


def test_a_new_key_is_fetched_once_and_made_up_ones_are_not_asked_for_again(
    idp: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "KEYS_COOLDOWN", 0.0)
    by(idp.token(**OPERATOR))
    idp.keys = [Key("second")]
    assert by(idp.token(**OPERATOR)).role is Role.OPERATOR
    assert idp.asked["keys"] == 2


def test_made_up_key_ids_do_not_make_us_call(idp: IdentityProvider) -> None:
    by(idp.token(**OPERATOR))
    for number in range(5):
        with pytest.raises(UnauthenticatedError):
            by(idp.token(header={"kid": f"made-up-{number}"}))
    assert idp.asked["keys"] == 1


def test_known_keys_serve_while_the_provider_is_away(idp: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    by(idp.token(**OPERATOR))
    idp.is_down = True
    assert by(idp.token(**OPERATOR)).role is Role.OPERATOR


def test_a_provider_that_was_never_there_is_an_outage_of_it_and_not_the_callers_fault(idp: IdentityProvider) -> None:
    idp.is_down = True
    for _ in range(3):
        with pytest.raises(UnavailableError):
            by(idp.token(**OPERATOR))
    assert idp.asked["openid-configuration"] == 1


def test_a_provider_that_is_not_listed_is_not_called(idp: IdentityProvider, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = []
    with pytest.raises(UnavailableError, match="A2A_OUTBOUND_ALLOWED"):
        by(idp.token(**OPERATOR))
    assert not idp.asked


def test_roles_that_are_taken_away_are_gone_with_the_next_token(idp: IdentityProvider) -> None:
    by(idp.token(**OPERATOR))
    with pytest.raises(ForbiddenError):
        by(idp.token(realm_access={"roles": []}))
    assert not Membership.objects.exists()
    assert not User.objects.get().is_staff


def test_an_older_token_does_not_give_back_what_was_taken_away(idp: IdentityProvider) -> None:
    older = idp.token(iat=int(time.time()) - 60, **OPERATOR)
    by(older)
    with pytest.raises(ForbiddenError):
        by(idp.token(realm_access={"roles": []}))
    with pytest.raises(ForbiddenError):
        by(older)
    assert not Membership.objects.exists()


def test_whom_the_roles_give_nothing_is_not_made(idp: IdentityProvider) -> None:
    with pytest.raises(ForbiddenError):
        by(idp.token(realm_access={"roles": ["something-else"]}))
    assert not User.objects.exists()


def test_the_last_admin_goes_too_where_the_provider_takes_the_role(
    idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    by(idp.token(realm_access={"roles": ["codetether-admin"]}))
    with caplog.at_level("WARNING"):
        assert by(idp.token(**OPERATOR)).role is Role.OPERATOR
    assert "without an admin" in caplog.text


@pytest.mark.parametrize(
    "claims", [{"exp": 10**13}, {"exp": 1e300}, {"iat": -(10**13)}, {"sub": "a\0b"}, {"sub": ""}, {"sub": "x" * 300}]
)
def test_what_cannot_be_written_down_is_a_bad_token_and_no_fault_of_ours(
    idp: IdentityProvider, claims: dict[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError):
        by(idp.token(**claims, **OPERATOR))
    assert not User.objects.exists()


def test_a_membership_made_by_hand_stays_as_it_is(idp: IdentityProvider, cast: Cast) -> None:
    by(idp.token(**OPERATOR))
    other = Workspace.objects.create(slug="by-hand", name="By hand")
    Membership.objects.create(user=User.objects.get(), workspace=other, role=Role.VIEWER)
    by(idp.token(groups=["/by-hand/admins"], **OPERATOR))
    by(idp.token(realm_access={"roles": ["codetether-admin"]}))
    roles = dict(Membership.objects.values_list("workspace__slug", "role"))
    assert roles == {"by-hand": "viewer", cast.workspace.slug: "admin"}


def test_a_group_gives_a_role_in_the_workspace_that_it_names(idp: IdentityProvider) -> None:
    team = Workspace.objects.create(slug="team-x", name="Team X")
    caller = by(idp.token(groups=["/team-x/operators", "/nowhere/admins", "/team-x"]))
    assert (caller.workspace_id, caller.role) == (team.id, Role.OPERATOR)


def test_a_local_user_of_the_same_name_and_address_is_somebody_else(idp: IdentityProvider, cast: Cast) -> None:
    local = cast.user("ada", Role.ADMIN, email="ada@example.com", is_superuser=True)
    caller = by(idp.token(preferred_username="ada", email="ada@example.com", **OPERATOR))
    assert caller.user_id != local.pk
    assert caller.role is Role.OPERATOR
    assert caller.name.startswith("ada-")


def test_who_is_inactive_here_stays_out(idp: IdentityProvider) -> None:
    by(idp.token(**OPERATOR))
    User.objects.update(is_active=False)
    with pytest.raises(UnauthenticatedError):
        by(idp.token(**OPERATOR))


def test_without_a_provider_a_jwt_is_an_unknown_token(settings: Any, cast: Cast) -> None:
    idp = IdentityProvider()
    settings.OIDC = None
    with pytest.raises(CodeTetherError, match="unknown"):
        by(idp.token(**OPERATOR))
    idp._server.server_close()
    assert people.person_by_token("ct_something") is None
