"""How often who may call, by every face; that the count is exact is shown by two processes (tests/e2e)."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.admission import network_of
from apps.core import limits
from tests.api.conftest import Api
from tests.factories import Cast

GET = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "none"}}
TASKS = "/v1/opencode/tasks"
CARD = "/.well-known/agent-card.json"


@pytest.fixture(autouse=True)
def _counts(fresh_counts: None, settings: Any) -> None:
    settings.RATE_LIMITS = {"anonymous": "2/minute"}


@pytest.fixture
def stranger(api: Api) -> Api:
    return api.bearing("")


def use_up(stranger: Api) -> None:
    for _ in range(2):
        assert stranger.get(CARD).status_code == 200


@pytest.mark.parametrize("path", [TASKS, CARD, "/v1/schema", "/v1/auth/status", "/v1/nothing", "/v1/worker/connected"])
def test_a_stranger_may_call_only_so_often(stranger: Api, path: str) -> None:
    use_up(stranger)
    refused = stranger.get(path)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_answers_say_where_the_caller_stands(stranger: Api) -> None:
    answer = stranger.get(TASKS)
    assert answer.status_code == 401
    assert answer.headers["ratelimit-policy"] == '"anonymous";q=2;w=60'
    assert answer.headers["ratelimit"].startswith('"anonymous";r=1;t=')


def test_credentials_that_open_nothing_are_a_strangers(stranger: Api) -> None:
    wrong = stranger.bearing("ct_wrong")
    answers = [wrong.get(path).status_code for path in (TASKS, "/v1/worker/connected", TASKS)]
    assert answers == [401, 401, 429]


def test_whoever_is_known_is_not_a_stranger(api: Api, stranger: Api) -> None:
    use_up(stranger)
    answers = [api.get(TASKS), api.get(CARD), api.post("/a2a/jsonrpc", GET)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not any("ratelimit" in answer.headers for answer in answers)


def test_health_is_asked_without_end(stranger: Api) -> None:
    use_up(stranger)
    assert {stranger.get(path).status_code for path in ("/health", "/v1/health") * 3} == {200}


def test_json_rpc_refuses_in_its_own_shape(stranger: Api) -> None:
    use_up(stranger)
    refused = stranger.post("/a2a/jsonrpc", GET)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == -32000


def test_the_a2a_rest_binding_refuses_in_its_own_shape(stranger: Api) -> None:
    use_up(stranger)
    error = stranger.get("/a2a/rest/tasks", headers={"a2a-version": "1.0"}).json()["error"]
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")


def test_the_console_refuses_with_a_page(stranger: Api) -> None:
    browser = Client()
    answers = [browser.get("/admin/login/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2]["content-type"].startswith("text/html")
    assert "retry-after" in answers[2].headers


def test_each_token_has_its_own_limit_and_its_owner_one_for_all(api: Api, cast: Cast, settings: Any) -> None:
    settings.RATE_LIMITS = {"authenticated": "2/minute", "user": "3/minute"}
    ada = cast.user("ada")
    one, other = (api.bearing(cast.token(user=ada)) for _ in range(2))
    assert [one.get(TASKS).status_code for _ in range(3)] == [200, 200, 429]
    served, refused = (other.get(TASKS) for _ in range(2))
    assert [served.status_code, refused.status_code] == [200, 429]
    assert '"user";q=3;w=60' in refused.headers["ratelimit-policy"]


def test_a_role_has_a_limit_of_its_own(api: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {"authenticated": "1/minute", "operator": "2/second;3/hour"}
    answers = [api.get(TASKS) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["ratelimit-policy"] == '"operator-second";q=2;w=1, "operator-hour";q=3;w=3600'


def test_a_call_that_is_refused_does_nothing(api: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {"authenticated": "1/minute"}
    made = [api.post(TASKS, {"title": "Paint", "prompt": "it"}).status_code for _ in range(2)]
    settings.RATE_LIMITS = {}
    assert made == [200, 429]
    assert api.get(TASKS).json()["total"] == 1


def test_without_redis_this_process_counts(stranger: Api, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    use_up(stranger)
    assert stranger.get(CARD).status_code == 429
    assert sum("Redis does not count calls" in line for line in caplog.messages) == 1


def test_the_answer_for_a_flood_comes_from_memory(stranger: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    use_up(stranger)
    assert stranger.get(CARD).status_code == 429
    monkeypatch.setattr(limits._Counter, "_hit", None)  # would fail
    assert stranger.get(CARD).status_code == 429


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "nowhere"),
    ],
)
def test_addresses_that_one_subscriber_may_choose_count_as_one(address: str, counted_as: str) -> None:
    assert network_of(address) == counted_as


def test_nobody_is_a_stranger_where_all_are_admins(stranger: Api, settings: Any) -> None:
    settings.A2A_AUTH_ENABLED = False
    assert {stranger.get(CARD).status_code for _ in range(3)} == {200}
    assert stranger.get(TASKS).json()["total"] == 0
