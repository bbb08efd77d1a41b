"""Who may call, tokens, and how refusals look."""

import pytest
from django.test import Client

from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role, Scope
from apps.rest import answers
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.tasks.models import Task
from tests.api.conftest import Api
from tests.factories import Cast

KEYS = "/v1/users/api-keys"


def test_view_without_a_scope_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="say which scope"):
        type("Open", (Endpoint,), {"get": lambda view, request: None})


@pytest.mark.parametrize("path", ["/v1/worker/tasks/claim", "/v1/opencode/workers/register", "/health"])
def test_wrong_method_is_refused_in_json_in_the_protocol_lane(api: Api, path: str) -> None:
    answer = api.call("PATCH", path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


def test_operations_read_their_scopes() -> None:
    class Shut(Endpoint):
        @operation(Scope.ADMIN, answers=answers.Done)
        def get(self) -> Answer:
            return {}

    assert Shut.required_scopes == {"GET": (Scope.ADMIN,)}


@pytest.mark.parametrize("token", ["", "ct_wrong", "ct_\N{SNOWMAN}"])
def test_no_or_wrong_token_is_refused_as_json(api: Api, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()} if token else {}
    refused = api.bearing("").call("GET", "/v1/opencode/tasks", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_unknown_address_and_wrong_method_are_json(api: Api) -> None:
    assert api.get("/v1/opencode/nothing").json()["code"] == "not_found"
    refused = api.delete("/v1/opencode/tasks")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in refused.headers["Allow"]


def test_multipart_is_refused(api: Api) -> None:
    refused = api.call("POST", "/v1/opencode/tasks", files={"file": b"x"})
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")


def test_html_is_never_negotiated(api: Api) -> None:
    answer = api.call("GET", "/v1/opencode/tasks", headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"] == "application/json"


def test_cookie_reads_but_needs_a_csrf_token_to_write(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.user())
    new = {"title": "t", "prompt": "p"}
    assert browser.get("/v1/opencode/tasks").status_code == 200
    refused = browser.post("/v1/opencode/tasks", new, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    assert not Task.objects.exists()
    browser.cookies["csrftoken"] = secret = "x" * 32
    sent = browser.post("/v1/opencode/tasks", new, content_type="application/json", headers={"X-CSRFToken": secret})
    assert sent.status_code == 200


def test_tokens_are_made_shown_once_listed_and_revoked(admin: Api) -> None:
    made = admin.post(KEYS, {"name": "zapier", "role": "viewer", "expires_at": 4102444800}).json()
    answers.TokenMade.model_validate(made)
    assert made["api_key"]["expires_at"] == "2100-01-01T00:00:00Z"
    assert admin.bearing(made["token"]).get("/v1/auth/me").json()["role"] == "viewer"
    assert made["token"] not in admin.get(KEYS).text
    assert admin.delete(f"{KEYS}/{made['api_key']['id']}").json()["success"] is True
    assert admin.bearing(made["token"]).get("/v1/auth/me").status_code == 401


@pytest.mark.parametrize("moment", [4102444800, 4102444800000, "2100-01-01T00:00:00Z", "2100-01-01T01:00:00+01:00"])
def test_times_in_every_spelling(admin: Api, moment: object) -> None:
    made = admin.post(KEYS, {"name": "n", "expires_at": moment}).json()
    assert made["api_key"]["expires_at"] == "2100-01-01T00:00:00Z"


def test_nobody_gives_away_more_than_they_hold(admin: Api, cast: Cast) -> None:
    narrow = admin.bearing(cast.token(Role.ADMIN, scopes=["admin"]))
    before = ApiToken.objects.count()
    assert narrow.post(KEYS, {"name": "wide", "role": "admin"}).status_code == 403
    assert ApiToken.objects.count() == before


def test_tokens_of_other_workspaces_cannot_be_revoked(admin: Api, cast: Cast) -> None:
    theirs = cast.elsewhere()
    theirs.token()
    row = ApiToken.objects.get(workspace=theirs.workspace)
    assert admin.delete(f"{KEYS}/{row.id}").status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


def test_description_is_openapi_and_its_page_needs_no_other_host(api: Api) -> None:
    description = api.bearing("").call("GET", "/v1/schema?format=json").json()
    assert description["openapi"].startswith("3.1")
    operation_of = description["paths"]["/v1/opencode/tasks"]["post"]
    assert operation_of["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/TaskBody")
    page = api.bearing("").get("/v1/docs")
    assert page.status_code == 200
    assert "cdn" not in page.text
    assert "https://" not in page.text
    assert "<script>" not in page.text  # which its policy forbids
    assert "script-src" not in page.headers["content-security-policy"]


def test_session_from_before_a_change_of_password_is_over(api: Api, cast: Cast) -> None:
    ada = cast.user("ada")
    browser = Client()
    browser.force_login(ada)
    cookie = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}
    path = f"/v1/opencode/tasks/{cast.task().id}/output/stream"
    nobody = api.bearing("")
    assert nobody.call("GET", "/v1/auth/me", headers=cookie).status_code == 200
    ada.set_password("another horse")
    ada.save()
    assert nobody.call("GET", "/v1/auth/me", headers=cookie).status_code == 401
    assert nobody.call("GET", path, headers=cookie).status_code == 401
