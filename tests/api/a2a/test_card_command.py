"""`manage.py a2a_card` prints the cards as clients get them."""

import json
from io import StringIO
from typing import Any

import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3.types import AgentCard as OldCard
from a2a.types import AgentCard
from a2a.utils.signing import create_signature_verifier
from django.core.management import CommandError, call_command
from google.protobuf.json_format import ParseDict
from jwt import PyJWK

from apps.a2a.card import public_card
from apps.a2a.signing import key_set
from tests.api.a2a.connected import connect
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> dict[str, Any]:
    said = StringIO()
    call_command("a2a_card", *arguments, stdout=said)
    card: dict[str, Any] = json.loads(said.getvalue())
    return card


def test_it_prints_the_public_card() -> None:
    assert printed() == public_card("http://testserver")
    assert printed("--url", "https://agents.example/")["url"] == "https://agents.example/a2a/jsonrpc"


def test_it_prints_what_is_connected_in_a_workspace(cast: Cast) -> None:
    connect(cast)
    other = cast.elsewhere()
    assert [one["id"] for one in printed("--extended")["skills"]] == ["delegate", "models", "agent:reviewer"]
    assert [one["id"] for one in printed("--extended", "--workspace", other.workspace.slug)["skills"]] == ["delegate"]
    assert printed("--role", "reviewer")["name"] == "reviewer"


def test_it_prints_one_version_alone() -> None:
    new, old = printed("--version", "1.0", "--signed"), printed("--version", "0.3", "--signed")
    read = ParseDict(new, AgentCard())  # which refuses fields that it does not know
    create_signature_verifier(lambda *_: PyJWK(key_set()["keys"][0]), ["ES256"])(read)
    assert OldCard.model_validate(old).model_dump(mode="json", by_alias=True, exclude_none=True) == old
    assert not {"supportedInterfaces", "securityRequirements"} & old.keys()


def test_it_signs(settings) -> None:
    card = printed("--signed", "--url", "https://agents.example")
    create_signature_verifier(lambda *_: PyJWK(key_set()["keys"][0]), ["ES256"])(parse_agent_card(card))


@pytest.mark.parametrize("wrong", [["--role", "nobody"], ["--extended", "--workspace", "none"]])
def test_it_says_what_is_not_there(cast: Cast, wrong: list[str]) -> None:
    with pytest.raises(CommandError, match="There is no"):
        printed(*wrong)
