"""Secrets at rest: sealed for one purpose and one place, under a key that can be replaced."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.core.errors import UnavailableError
from apps.core.resealing import sealed_columns
from apps.core.sealing import is_current, seal, unseal

PURPOSE, PLACE = "codetether/test/v1", "a workspace/a row"
SECRET = "correct-horse-battery"


def test_what_is_sealed_is_opened_again_and_stands_nowhere() -> None:
    kept = seal(SECRET, purpose=PURPOSE, place=PLACE)
    assert unseal(kept, purpose=PURPOSE, place=PLACE) == SECRET
    assert SECRET not in kept
    assert base64.b64encode(SECRET.encode()).decode()[:10] not in kept
    assert kept != seal(SECRET, purpose=PURPOSE, place=PLACE)


def test_nothing_stays_nothing() -> None:
    assert seal("", purpose=PURPOSE, place=PLACE) == "" == unseal("", purpose=PURPOSE, place=PLACE)


@pytest.mark.parametrize(("purpose", "place"), [("another purpose", PLACE), (PURPOSE, "a workspace/another row")])
def test_it_is_opened_for_its_purpose_and_in_its_place_alone(purpose: str, place: str) -> None:
    kept = seal(SECRET, purpose=PURPOSE, place=PLACE)
    with pytest.raises(UnavailableError):
        unseal(kept, purpose=purpose, place=place)


SPOILING: list[Callable[[str], str]] = [
    lambda kept: kept[:-4] + "AAAA",
    lambda kept: kept[:20],
    lambda kept: kept.replace("v1", "v2"),
    lambda kept: "plain",
    lambda kept: "v1..",
    lambda kept: "gAAAAA",
]


@pytest.mark.parametrize("spoil", SPOILING)
def test_what_was_altered_is_not_opened(spoil: Callable[[str], str]) -> None:
    with pytest.raises(UnavailableError, match="give it again"):
        unseal(spoil(seal(SECRET, purpose=PURPOSE, place=PLACE)), purpose=PURPOSE, place=PLACE)


def test_an_earlier_key_opens_while_it_is_named(settings: Any) -> None:
    kept = seal(SECRET, purpose=PURPOSE, place=PLACE)
    before, settings.SECRET_KEY = settings.SECRET_KEY, "the next key " + "y" * 40
    with pytest.raises(UnavailableError):
        unseal(kept, purpose=PURPOSE, place=PLACE)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert unseal(kept, purpose=PURPOSE, place=PLACE) == SECRET
    assert not is_current(kept, purpose=PURPOSE)
    assert is_current(seal(SECRET, purpose=PURPOSE, place=PLACE), purpose=PURPOSE)


def test_what_earlier_versions_sealed_is_opened(settings: Any) -> None:
    key = HKDF(SHA256(), 32, salt=None, info=PURPOSE.encode()).derive(settings.SECRET_KEY.encode())
    kept = Fernet(base64.urlsafe_b64encode(key)).encrypt(SECRET.encode()).decode()
    assert unseal(kept, purpose=PURPOSE, place=PLACE) == SECRET
    assert not is_current(kept, purpose=PURPOSE)


def test_every_sealed_column_says_where_it_stands() -> None:
    columns = {(model.__name__, name) for model, name in sealed_columns()}
    assert {("RemoteAgent", "sealed_secret"), ("PushConfig", "token"), ("PushConfig", "credentials")} <= columns
    assert all(hasattr(model, "sealed_place") for model, _ in sealed_columns())
