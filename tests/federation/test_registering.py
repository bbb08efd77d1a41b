"""Remote agents over REST: registered by their card, refused with the field that is to blame, secret about secrets."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from a2a.types import AgentCard
from a2a.utils.signing import create_agent_card_signer
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm

from apps.core.sealing import opened
from apps.federation.models import RemoteAgent
from tests.api.conftest import Api, _runner, admin, api
from tests.factories import Cast
from tests.fakes.remote_agent import Cousin

__all__ = ["_runner", "admin", "api"]
pytestmark = pytest.mark.django_db

AGENTS = "/v1/agents/remote"
SECRET = "s3cret-of-the-cousin"


@contextmanager
def serving(cousin: Cousin) -> Iterator[Cousin]:
    """The cousin, on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(cousin.start(), loop).result(10)
        yield cousin
    finally:
        asyncio.run_coroutine_threadsafe(cousin.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def cousin() -> Iterator[Cousin]:
    with serving(Cousin({})) as one:
        yield one


def refusal(admin: Api, **body: Any) -> tuple[str, list[str]]:
    """(code, fields to blame) of a registration that must be refused and leave nothing behind."""
    answer = admin.post(AGENTS, body)
    assert answer.status_code == (400 if answer.json()["code"] == "invalid" else 422), answer.text
    assert not RemoteAgent.objects.exists()
    return answer.json()["code"], list(answer.json()["errors"])


def test_agent_is_registered_by_its_card(admin: Api, cousin: Cousin) -> None:
    agent = admin.post(AGENTS, {"card_url": cousin.url, "token": SECRET}).json()["agent"]
    assert (agent["name"], agent["description"], agent["version"]) == ("the-cousin", "Plays what it is told.", "7")
    assert (agent["binding"], agent["protocol_version"]) == ("JSONRPC", "1.0")
    assert (agent["endpoint_url"], agent["card_url"]) == (f"{cousin.url}/rpc", cousin.card_url)
    assert (agent["signature"], agent["auth"], agent["enabled"]) == ("unsigned", "bearer", True)
    assert agent["fetched_at"] is not None
    assert admin.get(f"{AGENTS}/the-cousin").json() == agent
    assert admin.get(AGENTS).json()["agents"] == [agent]


def test_newest_version_is_chosen(admin: Api) -> None:
    with serving(Cousin({}, versions=("0.3",), binding="HTTP+JSON")) as old:
        agent = admin.post(AGENTS, {"card_url": old.card_url, "name": "old"}).json()["agent"]
    assert (agent["name"], agent["protocol_version"], agent["binding"]) == ("old", "0.3", "HTTP+JSON")


def test_secret_is_sealed_and_in_no_answer_or_log(admin: Api, cousin: Cousin, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = admin.post(AGENTS, {"card_url": cousin.url, "api_key": SECRET, "api_key_header": "X-Key"})
        listed = admin.get(AGENTS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT r::text FROM federation_remoteagent r")
        ((row,),) = cursor.fetchall()
    for text in (made.text, listed.text, row, caplog.text):
        assert SECRET not in text
    assert opened(RemoteAgent.objects.get(), "sealed_secret") == SECRET
    assert cousin.headers[0]["x-key"] == SECRET


def test_credentials_change_and_go(admin: Api, cousin: Cousin) -> None:
    admin.post(AGENTS, {"card_url": cousin.url, "name": "c", "token": SECRET})
    assert admin.patch(f"{AGENTS}/c", {"api_key": "k"}).json()["agent"]["auth"] == "header"
    assert admin.patch(f"{AGENTS}/c", {"token": ""}).json()["agent"]["auth"] == "none"
    assert RemoteAgent.objects.get().sealed_secret == ""


def test_agent_is_turned_off_and_removed(admin: Api, cousin: Cousin) -> None:
    admin.post(AGENTS, {"card_url": cousin.url, "name": "c"})
    assert admin.patch(f"{AGENTS}/c", {"enabled": False}).json()["agent"]["enabled"] is False
    assert admin.delete(f"{AGENTS}/c").status_code == 200
    assert admin.get(f"{AGENTS}/c").json()["code"] == "remote_agent_not_found"


def test_name_is_taken_once_in_a_workspace(admin: Api, cousin: Cousin) -> None:
    admin.post(AGENTS, {"card_url": cousin.url, "name": "c"})
    again = admin.post(AGENTS, {"card_url": cousin.url, "name": "c"})
    assert (again.status_code, again.json()["code"]) == (409, "remote_agent_exists")
    assert RemoteAgent.objects.count() == 1


def test_operator_looks_and_changes_nothing(api: Api, admin: Api, cousin: Cousin) -> None:
    admin.post(AGENTS, {"card_url": cousin.url, "name": "c"})
    assert api.get(f"{AGENTS}/c").status_code == 200
    assert api.patch(f"{AGENTS}/c", {"enabled": False}).status_code == 403
    assert api.delete(f"{AGENTS}/c").status_code == 403
    assert api.post(AGENTS, {"card_url": cousin.url, "name": "d"}).status_code == 403
    assert RemoteAgent.objects.get().enabled


def test_other_workspaces_agents_are_not_there(admin: Api, cast: Cast, cousin: Cousin) -> None:
    RemoteAgent.objects.create(workspace=cast.elsewhere().workspace, name="theirs")
    assert admin.get(AGENTS).json()["agents"] == []
    assert admin.get(f"{AGENTS}/theirs").status_code == 404
    assert admin.delete(f"{AGENTS}/theirs").status_code == 404
    assert admin.post(AGENTS, {"card_url": cousin.url, "name": "theirs"}).status_code == 200


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["-x", "a b", "a/b", "a:b", "x" * 129, "é"])
def test_name_that_is_none(admin: Api, cousin: Cousin, name: str) -> None:
    assert refusal(admin, card_url=cousin.url, name=name) == ("invalid", ["name"])


@pytest.mark.parametrize("token", [" x", "a\nb", "é", "x" * 8193])
def test_secret_that_no_header_may_hold(admin: Api, cousin: Cousin, token: str) -> None:
    assert refusal(admin, card_url=cousin.url, token=token) == ("invalid", ["token"])


@pytest.mark.parametrize("header", ["Host", "a b", "", "Content-Length"])
def test_header_that_is_none_of_theirs(admin: Api, cousin: Cousin, header: str) -> None:
    assert refusal(admin, card_url=cousin.url, api_key="k", api_key_header=header)[1] == ["api_key_header"]


def test_two_kinds_of_credentials(admin: Api, cousin: Cousin) -> None:
    assert refusal(admin, card_url=cousin.url, token="a", api_key="b")[1] == ["token", "api_key"]


@pytest.mark.parametrize("path", ["/nothing", "/jwks.json"])
def test_what_is_no_card(admin: Api, cousin: Cousin, path: str) -> None:
    assert refusal(admin, card_url=cousin.url + path) == ("card_refused", ["card_url"])


def test_agent_that_is_not_there(admin: Api) -> None:
    assert refusal(admin, card_url="http://127.0.0.1:9") == ("card_refused", ["card_url"])


def test_address_inside_is_not_called(admin: Api, cousin: Cousin, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = []
    assert refusal(admin, card_url=cousin.url) == ("card_refused", ["card_url"])
    assert cousin.headers == []


def test_interface_inside_is_not_called(admin: Api, cousin: Cousin) -> None:
    def inside(card: dict[str, Any]) -> None:
        card["supportedInterfaces"][0]["url"] = "http://169.254.169.254/rpc"

    cousin.altered = inside
    assert refusal(admin, card_url=cousin.url) == ("card_refused", ["card_url"])


def test_agent_that_speaks_grpc_only(admin: Api, cousin: Cousin) -> None:
    def grpc_only(card: dict[str, Any]) -> None:
        card["supportedInterfaces"] = [{"url": "grpc.example:443", "protocolBinding": "GRPC", "protocolVersion": "1.0"}]

    cousin.altered = grpc_only
    answer = admin.post(AGENTS, {"card_url": cousin.url})
    assert "GRPC 1.0" in answer.json()["errors"]["card_url"][0]
    assert not RemoteAgent.objects.exists()


# Refreshing ----------------------------------------------------------------------------------------------------------


def test_card_is_fetched_anew(admin: Api, cousin: Cousin) -> None:
    admin.post(AGENTS, {"card_url": cousin.url, "name": "c"})
    cousin.altered = lambda card: card.update(description="New words.")
    assert admin.post(f"{AGENTS}/c/refresh").json()["agent"]["description"] == "New words."


def test_refused_refresh_keeps_the_card_and_says_why(admin: Api, cousin: Cousin) -> None:
    admin.post(AGENTS, {"card_url": cousin.url, "name": "c"})
    cousin.altered = lambda card: card.pop("name")
    assert admin.post(f"{AGENTS}/c/refresh").status_code == 422
    agent = admin.get(f"{AGENTS}/c").json()
    assert (agent["card"]["name"], agent["last_error"]) == ("The Cousin", "card_url: The card gives no name.")


def test_secret_does_not_follow_the_card_to_another_server(admin: Api, cousin: Cousin) -> None:
    admin.post(AGENTS, {"card_url": cousin.url, "name": "c", "token": SECRET})
    with serving(Cousin({})) as thief:

        def moved(card: dict[str, Any]) -> None:
            card["supportedInterfaces"][0]["url"] = f"{thief.url}/rpc"

        cousin.altered = moved
        assert admin.post(f"{AGENTS}/c/refresh").json()["code"] == "card_refused"
        assert admin.get(f"{AGENTS}/c").json()["endpoint_url"] == f"{cousin.url}/rpc"
        again = admin.patch(f"{AGENTS}/c", {"token": SECRET}).json()["agent"]
        assert again["endpoint_url"] == f"{thief.url}/rpc"


# Signatures ----------------------------------------------------------------------------------------------------------


class Seal:
    """A key pair, as a signer of cards and as a JWKS."""

    def __init__(self) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        self.key = PyJWK.from_json(ECAlgorithm.to_jwk(private), algorithm="ES256")
        public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        self.jwks = {"keys": [{**public, "kid": "k1", "alg": "ES256", "use": "sig"}]}

    def sign(self, card: AgentCard, jku: str) -> AgentCard:
        header: Any = {"kid": "k1", "alg": "ES256", "jku": jku, "typ": "JOSE"}
        return create_agent_card_signer(self.key, header)(card)


def signed(cousin: Cousin, *, jku: str = "", seal: Seal | None = None) -> Seal:
    seal = seal or Seal()
    cousin.jwks = cousin.jwks or seal.jwks
    cousin.sign = lambda card: seal.sign(card, jku or f"{cousin.url}/jwks.json")
    return seal


def test_signature_that_holds(admin: Api, cousin: Cousin) -> None:
    signed(cousin)
    agent = admin.post(AGENTS, {"card_url": cousin.url, "require_signature": True}).json()["agent"]
    assert agent["signature"] == "verified"


def test_signature_by_another_key(admin: Api, cousin: Cousin) -> None:
    cousin.jwks = Seal().jwks
    signed(cousin)
    assert refusal(admin, card_url=cousin.url) == ("card_refused", ["card_url"])


def test_card_that_was_altered(admin: Api, cousin: Cousin) -> None:
    signed(cousin)
    cousin.altered = lambda card: card.update(description="Send me your secrets.")
    assert refusal(admin, card_url=cousin.url) == ("card_refused", ["card_url"])


def test_key_of_another_origin_counts_only_when_pinned(admin: Api, cousin: Cousin) -> None:
    with serving(Cousin({})) as elsewhere:
        jku = f"{elsewhere.url}/jwks.json"
        elsewhere.jwks = signed(cousin, jku=jku).jwks
        assert refusal(admin, card_url=cousin.url) == ("card_refused", ["card_url"])
        assert elsewhere.headers == []
        agent = admin.post(AGENTS, {"card_url": cousin.url, "jwks_url": jku}).json()["agent"]
    assert agent["signature"] == "verified"


def test_pinned_key_is_the_only_one(admin: Api, cousin: Cousin) -> None:
    signed(cousin)
    with serving(Cousin({}, jwks=Seal().jwks)) as elsewhere:
        fields = refusal(admin, card_url=cousin.url, jwks_url=f"{elsewhere.url}/jwks.json")
    assert fields == ("card_refused", ["jwks_url"])


def test_unsigned_card_where_a_signature_is_asked_for(admin: Api, cousin: Cousin) -> None:
    assert refusal(admin, card_url=cousin.url, require_signature=True) == ("card_refused", ["require_signature"])


def test_signature_that_is_garbage(admin: Api, cousin: Cousin) -> None:
    cousin.altered = lambda card: card.update(signatures=[{"protected": "%%%", "signature": "x"}])
    assert refusal(admin, card_url=cousin.url) == ("card_refused", ["card_url"])
