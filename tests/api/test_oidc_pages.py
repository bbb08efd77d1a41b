"""Sign-on by the identity provider in a browser: out to it, back with a code, and out for good from either side."""

import hashlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from django.http import HttpResponse
from django.test import Client
from jwt.utils import base64url_encode

from apps.accounts.models import LoginSession, Membership, OidcIdentity, OidcLogout, User
from apps.accounts.oidc.config import oidc_settings
from apps.accounts.permissions import Role
from codetether import env
from tests.factories import Cast
from tests.fakes.identity_provider import LOOPBACK, SECRET, IdentityProvider, Json

ADMIN = {"realm_access": {"roles": ["codetether-admin"]}}
CALLBACK = "/oidc/callback/"


@pytest.fixture
def idp(settings: Any, cast: Cast) -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        settings.OIDC = running.settings()
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        running.userinfo = {"sub": "ada-1", "preferred_username": "ada", "email": "ada@example.com"}
        yield running


def sent_out(browser: Client, path: str = "") -> dict[str, str]:
    """What the provider is asked."""
    answer = browser.get("/oidc/authenticate/" + path)
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["location"]).query).items()}


def comes_back(idp: IdentityProvider, browser: Client, asked: dict[str, str], **claims: Any) -> Any:
    """The provider lets ada in, for the code `c`."""
    said = {"nonce": asked["nonce"], "sid": "s1", **claims}

    def grant(form: dict[str, str]) -> tuple[int, Json]:
        challenge = base64url_encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        good = challenge == asked["code_challenge"] and form["redirect_uri"] == asked["redirect_uri"]
        roles = said.pop("access", ADMIN)
        return (200, {"id_token": idp.id_token(**said), "access_token": idp.token(**roles)}) if good else (400, {})

    idp.grant = grant
    return browser.get(CALLBACK, {"code": "c", "state": asked["state"]})


def signed_in(idp: IdentityProvider, **claims: Any) -> Client:
    browser = Client()
    assert comes_back(idp, browser, sent_out(browser), **claims).status_code == 302
    return browser


def test_the_login_page_has_a_button_where_a_provider_is_configured(idp: IdentityProvider, settings: Any) -> None:
    page = Client().get("/admin/login/?next=/admin/tasks/task/").content.decode()
    assert "Sign in with 127.0.0.1" in page
    assert "/oidc/authenticate/?next=%2Fadmin%2Ftasks%2Ftask%2F" in page
    settings.OIDC = None
    assert "Sign in with" not in Client().get("/admin/login/").content.decode()
    assert Client().get("/oidc/authenticate/").status_code == 404


def test_the_provider_is_asked_with_state_nonce_and_a_challenge(idp: IdentityProvider) -> None:
    asked = sent_out(Client())
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == "http://testserver/oidc/callback/"
    assert min(len(asked["state"]), len(asked["nonce"])) >= 32
    assert len(asked["code_challenge"]) == 43


def test_who_comes_back_is_signed_in_with_what_the_access_token_says(idp: IdentityProvider, cast: Cast) -> None:
    browser = Client()
    answer = comes_back(idp, browser, sent_out(browser, "?next=/admin/tasks/task/"))
    assert (answer.status_code, answer["location"]) == (302, "/admin/tasks/task/")
    ada = User.objects.get()
    assert (ada.username, ada.email, ada.is_staff, ada.is_superuser) == ("ada", "ada@example.com", True, False)
    assert not ada.has_usable_password()
    assert Membership.objects.get().role == Role.ADMIN
    assert OidcIdentity.objects.get().subject == "ada-1"
    assert browser.get("/admin/").status_code == 200
    assert LoginSession.objects.get().sid == "s1"


def test_the_secret_goes_in_the_header_and_not_in_the_address(idp: IdentityProvider) -> None:
    forms: list[dict[str, str]] = []
    browser = Client()
    asked = sent_out(browser)
    idp.grant = lambda form: (forms.append(form), (400, {}))[1]  # type: ignore[func-returns-value]
    assert browser.get(CALLBACK, {"code": "c", "state": asked["state"]}).status_code == 403
    (form,) = forms
    assert form["authorization"].startswith("Basic ")
    assert SECRET not in str({name: value for name, value in form.items() if name != "authorization"})


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"]
)
def test_nobody_is_sent_to_another_host(idp: IdentityProvider, place: str) -> None:
    browser = Client()
    asked = sent_out(browser, f"?next={place}")
    assert comes_back(idp, browser, asked)["location"] == "/admin/"


def test_a_state_of_another_browser_is_refused(idp: IdentityProvider) -> None:
    asked = sent_out(Client())
    victim = Client()
    sent_out(victim)
    assert comes_back(idp, victim, asked).status_code == 400
    assert not User.objects.exists()
    assert not idp.asked["token"]


def test_a_state_is_good_once_and_not_for_long(idp: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Client()
    asked = sent_out(browser)
    assert comes_back(idp, browser, asked).status_code == 302
    assert comes_back(idp, browser, asked).status_code == 400
    late = Client()
    asked = sent_out(late)
    session = late.session
    session["oidc_states"][asked["state"]]["added_on"] = time.time() - 601
    session.save()
    assert comes_back(idp, late, asked).status_code == 400


@pytest.mark.parametrize(
    "wrong", [{"nonce": "of another sign-in"}, {"aud": "another"}, {"aud": ["codetether", "b"]}, {"azp": "another"},
              {"exp": 1}, {"iss": "https://evil.example"}, {"sub": "eve-1"}]
)  # fmt: skip
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(idp: IdentityProvider, wrong: Json) -> None:
    browser = Client()
    assert comes_back(idp, browser, sent_out(browser), **wrong).status_code == 403
    assert browser.get("/admin/").status_code == 302
    assert not User.objects.exists()


def test_an_access_token_of_somebody_else_gives_nothing(idp: IdentityProvider) -> None:
    signed_in(idp, access={**ADMIN, "sub": "root-1"})
    assert not Membership.objects.exists()


def test_the_session_gets_a_new_key(idp: IdentityProvider) -> None:
    browser = Client()
    asked = sent_out(browser)
    planted = browser.cookies["sessionid"].value
    comes_back(idp, browser, asked)
    assert browser.cookies["sessionid"].value != planted
    eve = Client()
    eve.cookies["sessionid"] = planted
    assert eve.get("/admin/").status_code == 302


def test_who_is_not_staff_is_told_so_and_not_sent_in_circles(idp: IdentityProvider) -> None:
    browser = signed_in(idp, access={"realm_access": {"roles": ["codetether-viewer"]}})
    for path in ("/admin/", "/admin/login/", "/admin/tasks/task/", "/admin/nothing"):
        refused = browser.get(path)
        assert (refused.status_code, b"may not use the console" in refused.content) == (403, True), path
    assert browser.post("/admin/logout/").status_code == 302
    assert browser.get("/admin/login/").status_code == 200


def test_superusers_are_made_by_an_explicit_entry_only(idp: IdentityProvider, settings: Any) -> None:
    signed_in(idp, access={"realm_access": {"roles": ["superuser", "admin", "codetether-superuser"]}})
    assert not User.objects.get().is_superuser
    said = {"OIDC_ISSUER": idp.issuer, "OIDC_CLIENT_ID": "codetether", "OIDC_ROLE_MAP": "root=superuser"}
    settings.OIDC = oidc_settings(env.sign_on(said), LOOPBACK)
    signed_in(idp, access={"realm_access": {"roles": ["root"]}})
    assert User.objects.get().is_superuser
    signed_in(idp, access={})
    assert not User.objects.get().is_superuser


def test_signing_out_goes_on_to_the_provider(idp: IdentityProvider) -> None:
    browser = signed_in(idp)
    answer = browser.post("/admin/logout/")
    where = urlsplit(answer["location"])
    said = parse_qs(where.query)
    assert f"http://{where.netloc}{where.path}" == f"{idp.issuer}/logout"
    assert said["post_logout_redirect_uri"] == ["http://testserver/admin/login/"]
    assert said["id_token_hint"][0].startswith("ey")
    assert browser.get("/admin/").status_code == 302
    assert LoginSession.objects.get().ended_at is not None


def test_a_local_login_is_signed_out_here(idp: IdentityProvider, cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.user(is_staff=True), "django.contrib.auth.backends.ModelBackend")
    assert "logout" not in browser.post("/oidc/logout/")["location"]
    assert browser.get("/admin/").status_code == 302


def told(logout_token: str) -> HttpResponse:
    answer: Any = Client(enforce_csrf_checks=True).post("/oidc/backchannel-logout", {"logout_token": logout_token})
    return answer  # type: ignore[no-any-return]


def test_the_provider_ends_the_session_that_it_names(idp: IdentityProvider) -> None:
    browser, other = signed_in(idp), signed_in(idp, sid="s2")
    assert told(idp.logout_token()).status_code == 200
    assert browser.get("/admin/").status_code == 302
    assert other.get("/admin/").status_code == 200


def test_the_provider_ends_all_sessions_of_a_person(idp: IdentityProvider) -> None:
    browsers = [signed_in(idp), signed_in(idp, sid="s2")]
    assert told(idp.logout_token(sid=None, sub="ada-1")).status_code == 200
    assert {browser.get("/admin/").status_code for browser in browsers} == {302}


def test_a_logout_token_that_does_not_hold_ends_nothing(idp: IdentityProvider) -> None:
    browser = signed_in(idp)
    event = "http://schemas.openid.net/event/backchannel-logout"
    wrong: list[Json] = [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": None}, {"events": {}}, {"events": None},
        {"events": {event: "yes"}}, {"nonce": "n"}, {"sid": None, "sub": None}, {"jti": None}, {"iat": None},
        {"iat": int(time.time()) - 400}, {"exp": 1}, {"exp": None},
    ]  # fmt: skip
    for claims in wrong:
        assert told(idp.logout_token(**claims)).status_code == 400, claims
    assert told("").status_code == told(idp.id_token()).status_code == told(idp.token()).status_code == 400
    assert browser.get("/admin/").status_code == 200
    assert not OidcLogout.objects.exists()


def test_a_logout_token_counts_once(idp: IdentityProvider) -> None:
    signed_in(idp)
    token = idp.logout_token()
    assert told(token).status_code == 200
    browser = signed_in(idp)
    assert told(token).status_code == 400
    assert browser.get("/admin/").status_code == 200


def test_a_provider_that_is_away_is_said_to_be(idp: IdentityProvider) -> None:
    idp.is_down = True
    answer = Client().get("/oidc/authenticate/")
    assert answer.status_code == 503
    assert b"identity provider" in answer.content


def test_a_real_provider_lets_its_people_in(settings: Any, cast: Cast) -> None:
    roles = {"realm_access": {"roles": ["codetether-operator"]}}
    users = [oidc_provider_mock.User(sub="ada-1", claims={"preferred_username": "ada", **roles})]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        issuer = f"http://localhost:{server.server_port}"
        settings.OUTBOUND_ALLOWED = ["localhost"]
        settings.OIDC = oidc_settings(env.sign_on({"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": "ct"}), LOOPBACK)
        browser = Client()
        page = browser.get("/oidc/authenticate/")["location"]
        back = httpx.post(page, data={"sub": "ada-1"}, trust_env=False).headers["location"]
        assert browser.get(back.removeprefix("http://testserver")).status_code == 302
        assert Membership.objects.get().role == Role.OPERATOR
        assert browser.get("/admin/").status_code == 200
