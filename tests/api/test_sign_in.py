"""`/v1/auth`: signing in with a password, refreshing, the list of one's logins, and out again."""

import time
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import LoginSession, OidcIdentity, User
from apps.accounts.permissions import Role
from apps.rest.answers import sign_in as answers
from apps.rest.views import sign_in
from tests.api.conftest import Api
from tests.factories import Cast
from tests.fakes.identity_provider import IdentityProvider

TRIES = 5
ADA = {"username": "ada", "password": "correct horse"}


@pytest.fixture
def nobody(api: Api, cast: Cast, settings: Any, fresh_counts: None) -> Api:
    """A client without a token."""
    cast.user("ada")
    settings.RATE_LIMITS = {"login": f"{TRIES}/minute"}
    return api.bearing("")


def signed_in(nobody: Api) -> dict[str, Any]:
    said: dict[str, Any] = nobody.post("/v1/auth/login", ADA).json()
    answers.LoginTokens.model_validate(said)
    return said


def refreshed(nobody: Api, said: dict[str, Any]) -> Any:
    return nobody.post("/v1/auth/refresh", {"refresh_token": said["refresh_token"]})


def test_an_access_token_is_the_persons_with_their_role(nobody: Api) -> None:
    me = nobody.bearing(signed_in(nobody)["access_token"]).get("/v1/auth/me").json()
    assert (me["name"], me["role"]) == ("ada", "operator")


def test_no_secret_is_kept(nobody: Api) -> None:
    said = signed_in(nobody)
    row = str(LoginSession.objects.values().get())
    assert said["access_token"] not in row
    assert said["refresh_token"] not in row


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"username": "nobody"}, {"username": "ADA'--"}])
def test_a_wrong_password_and_a_name_of_nobody_look_the_same(nobody: Api, wrong: dict[str, str]) -> None:
    refused = nobody.post("/v1/auth/login", ADA | wrong)
    assert (refused.status_code, refused.json()["code"]) == (401, "wrong_password")
    assert not LoginSession.objects.exists()


def test_an_inactive_account_is_refused(nobody: Api) -> None:
    User.objects.update(is_active=False)
    assert nobody.post("/v1/auth/login", ADA).status_code == 401


def test_a_workspace_of_others_is_refused(nobody: Api, cast: Cast) -> None:
    refused = nobody.post("/v1/auth/login", ADA | {"workspace": cast.elsewhere().workspace.slug})
    assert refused.status_code == 403
    assert not LoginSession.objects.exists()


def test_guessing_is_slowed_down_also_for_the_right_password(nobody: Api) -> None:
    for _ in range(TRIES):
        nobody.post("/v1/auth/login", ADA | {"password": "wrong"})
    refused = nobody.post("/v1/auth/login", ADA)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_logins")
    assert 1 <= int(refused.headers["retry-after"]) <= 61


def test_guessing_at_the_consoles_door_is_slowed_down_alike(nobody: Api) -> None:
    browser = Client()
    for _ in range(TRIES):
        assert browser.post("/admin/login/", ADA | {"password": "wrong"}).status_code == 200
    refused = browser.post("/admin/login/", ADA)
    assert (refused.status_code, int(refused["retry-after"]) >= 1) == (429, True)


def test_the_identity_providers_token_opens_every_face(nobody: Api, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    with IdentityProvider() as idp:
        settings.OIDC = idp.settings()
        good, bad = (idp.token(realm_access={"roles": [f"codetether-{role}"]}, aud=aud) for role, aud in (
            ("operator", "codetether"), ("operator", "another"),
        ))  # fmt: skip
        listing = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "none"}}
        for token, status in ((good, 200), (bad, 401)):
            caller = nobody.bearing(token)
            assert caller.get("/v1/opencode/tasks").status_code == status
            assert caller.get("/v1/auth/me").status_code == status
            assert caller.post("/a2a/jsonrpc", listing).status_code == status
            assert caller.get("/v1/worker/connected").status_code in (status, 403)


def test_who_knows_the_password_is_not_slowed_down(nobody: Api) -> None:
    for _ in range(TRIES + 1):
        signed_in(nobody)


def test_a_refresh_replaces_both_tokens(nobody: Api) -> None:
    first = signed_in(nobody)
    second = refreshed(nobody, first).json()
    answers.LoginTokens.model_validate(second)
    assert nobody.bearing(second["access_token"]).get("/v1/auth/me").status_code == 200
    assert nobody.bearing(first["access_token"]).get("/v1/auth/me").status_code == 401


def test_a_refresh_token_that_comes_twice_ends_the_login(nobody: Api) -> None:
    first = signed_in(nobody)
    second = refreshed(nobody, first).json()
    refused = refreshed(nobody, first)
    assert (refused.status_code, refused.json()["code"]) == (401, "refresh_refused")
    assert refreshed(nobody, second).status_code == 401
    assert nobody.bearing(second["access_token"]).get("/v1/auth/me").status_code == 401


def test_a_change_of_password_ends_logins_from_before(nobody: Api) -> None:
    said = signed_in(nobody)
    ada = User.objects.get(username="ada")
    ada.set_password("another horse")
    ada.save()
    assert nobody.bearing(said["access_token"]).get("/v1/auth/me").status_code == 401
    assert refreshed(nobody, said).status_code == 401


def test_logout_ends_this_login_only(nobody: Api) -> None:
    one, other = signed_in(nobody), signed_in(nobody)
    assert nobody.bearing(one["access_token"]).post("/v1/auth/logout").status_code == 200
    assert refreshed(nobody, one).status_code == 401
    assert nobody.bearing(other["access_token"]).get("/v1/auth/me").status_code == 200


def test_a_token_without_a_login_cannot_log_out(api: Api) -> None:
    assert api.post("/v1/auth/logout").json()["code"] == "no_login"


def test_one_sees_and_ends_ones_own_logins_only(nobody: Api, cast: Cast) -> None:
    one, other = signed_in(nobody), signed_in(nobody)
    ada = nobody.bearing(one["access_token"])
    rows = ada.get("/v1/auth/sessions").json()["sessions"]
    answers.Logins.model_validate({"sessions": rows})
    assert {row["id"]: row["current"] for row in rows} == {one["session"]["id"]: True, other["session"]["id"]: False}
    bob = nobody.bearing(cast.token(user=cast.user("bob", Role.ADMIN)))
    assert bob.get("/v1/auth/sessions").json() == {"sessions": []}
    assert bob.delete(f"/v1/auth/sessions/{other['session']['id']}").status_code == 404
    assert ada.delete(f"/v1/auth/sessions/{other['session']['id']}").status_code == 200
    assert refreshed(nobody, other).status_code == 401


def test_a_persons_program_neither_sees_nor_ends_their_logins(nobody: Api, cast: Cast) -> None:
    said = signed_in(nobody)
    program = nobody.bearing(cast.token(Role.WORKER, user=User.objects.get(username="ada")))
    assert program.get("/v1/auth/sessions").json() == {"sessions": []}
    assert program.delete(f"/v1/auth/sessions/{said['session']['id']}").status_code == 404
    assert refreshed(nobody, said).status_code == 200


def test_a_strangers_refresh_token_makes_nobody_be_looked_up_again(
    nobody: Api, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[None] = []
    monkeypatch.setattr(sign_in, "access_changed", lambda: told.append(None))
    assert refreshed(nobody, {"refresh_token": "ctr_unknown"}).status_code == 401
    assert not told
    first = signed_in(nobody)
    refreshed(nobody, first)
    assert refreshed(nobody, first).status_code == 401
    assert len(told) == 2, "once for the new tokens, once for the login that ended"


def test_the_description_asks_no_token_of_who_is_nobody_yet(nobody: Api) -> None:
    paths = nobody.get("/v1/schema", format="json").json()["paths"]
    assert not paths["/v1/auth/login"]["post"].get("security")
    assert paths["/v1/auth/logout"]["post"]["security"] == [{"bearer": []}]


def test_the_status_says_how_one_signs_in(nobody: Api, settings: Any) -> None:
    said = nobody.get("/v1/auth/status").json()
    answers.SignInStatus.model_validate(said)
    assert said["oidc"] is None
    with IdentityProvider() as idp:
        settings.OIDC = idp.settings()
        assert nobody.get("/v1/auth/status").json()["oidc"]["issuer"] == idp.issuer


def test_the_providers_password_is_asked_for_only_where_that_is_set(nobody: Api, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    with IdentityProvider() as idp:
        roles = {"realm_access": {"roles": ["codetether-viewer"]}}
        idp.userinfo = {"sub": "ada-1"}
        idp.grant = lambda form: (200, {"id_token": idp.id_token(sid="s1"), "access_token": idp.token(**roles)})
        settings.OIDC = idp.settings()
        assert nobody.post("/v1/auth/login", ADA | {"username": "eve"}).status_code == 401
        assert not idp.asked["token"]
        settings.OIDC = idp.settings(password_grant=True)
        said = nobody.post("/v1/auth/login", ADA | {"username": "eve"}).json()
        assert said["session"]["by_provider"] is True
        assert said["refresh_expires_in"] <= 12 * 3600
        assert nobody.bearing(said["access_token"]).get("/v1/auth/me").json()["role"] == "viewer"
        assert OidcIdentity.objects.get().subject == "ada-1"


def test_a_logout_at_the_provider_ends_logins_and_tokens_of_that_session(nobody: Api, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    roles = {"realm_access": {"roles": ["codetether-viewer"]}}
    with IdentityProvider() as idp:
        settings.OIDC = idp.settings()
        before = nobody.bearing(idp.token(sid="s1", iat=int(time.time()) - 1, **roles))
        other = nobody.bearing(idp.token(sid="s2", iat=int(time.time()) - 1, **roles))
        assert before.get("/v1/auth/me").status_code == 200
        token = idp.logout_token(sub="ada-1")
        told = [nobody.call("POST", "/oidc/backchannel-logout", data={"logout_token": token}) for _ in range(2)]
        assert [answer.status_code for answer in told] == [200, 400]
        assert before.get("/v1/auth/me").status_code == 401
        assert other.get("/v1/auth/me").status_code == 200
