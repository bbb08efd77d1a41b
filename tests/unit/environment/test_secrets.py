"""The installation's own secrets: made once, kept for their owner's eyes only, the same for whoever starts."""

import base64
import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from codetether.env import Env, SettingError, load
from codetether.installation import secret_key, signing_key, vapid_key
from codetether.signing_keys import new_signing_key

STARTS = """
import sys
from codetether.env import load
from codetether.installation import secret_key, signing_key
env = load({"CODETETHER_DATA_DIR": sys.argv[1]})
print(secret_key(env), signing_key(env).encode().hex())
"""


def env(folder: Path, **more: str) -> Env:
    return load({"CODETETHER_DATA_DIR": str(folder), **more})


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = secret_key(env(folder)), signing_key(env(folder))
    assert (secret_key(env(folder)), signing_key(env(folder))) == first
    assert isinstance(load_pem_private_key(first[1].encode(), None), ec.EllipticCurvePrivateKey)
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600
    assert json.loads((folder / "secrets.json").read_text()) == {"secret_key": first[0], "signing_key": first[1]}


def test_older_file_gains_a_signing_key_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text('{"secret_key": "from before"}')
    made = signing_key(env(tmp_path))
    assert json.loads(path.read_text()) == {"secret_key": "from before", "signing_key": made}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("before", ["", '{"secret_key": "from before"}'])
def test_processes_that_start_at_once_agree(tmp_path: Path, before: str) -> None:
    if before:
        (tmp_path / "secrets.json").write_text(before)
    command = [sys.executable, "-c", STARTS, str(tmp_path)]
    with ThreadPoolExecutor(4) as starters:
        said = list(starters.map(lambda _: subprocess.check_output(command, text=True), range(4)))
    assert len(set(said)) == 1
    assert [path.name for path in tmp_path.glob(".secrets*")] == []


@pytest.mark.parametrize("text", ["{", "[]", '{"signing_key": "x"}', "\xff"])
def test_damaged_file_is_named_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_bytes(text.encode("latin-1"))
    for key in (secret_key, signing_key):
        with pytest.raises(SettingError, match=r"secrets\.json is damaged"):
            key(env(tmp_path))
    assert path.read_bytes() == text.encode("latin-1")


def test_given_secret_key_leaves_nothing_on_disk(tmp_path: Path) -> None:
    given = env(tmp_path / "data", CODETETHER_SECRET_KEY="k" * 60)
    assert (secret_key(given), signing_key(given)) == ("k" * 60, "")
    assert not (tmp_path / "data").exists()


def test_signing_key_is_taken_as_text_or_from_a_file(tmp_path: Path) -> None:
    text = new_signing_key()
    (tmp_path / "card.pem").write_text(text)
    for value in (text, text.replace("\n", "\\n"), str(tmp_path / "card.pem")):
        assert signing_key(env(tmp_path, A2A_SIGNING_KEY=value)) == text


@pytest.mark.parametrize(
    "value",
    [
        "nowhere.pem",
        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_what_is_no_such_key_stops_the_start_and_is_not_printed(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingError, match="A2A_SIGNING_KEY") as refused:
        env(tmp_path, A2A_SIGNING_KEY=value)
    assert "P-256" in str(refused.value)
    assert "c2VjcmV0" not in str(refused.value)


def test_the_key_for_pushes_is_kept_beside_the_others_and_taken_raw_as_well(tmp_path: Path) -> None:
    kept = vapid_key(env(tmp_path))
    assert (kept, json.loads((tmp_path / "secrets.json").read_text())["vapid_key"]) == (vapid_key(env(tmp_path)), kept)
    assert kept != signing_key(env(tmp_path))
    assert vapid_key(env(tmp_path, CODETETHER_SECRET_KEY="k" * 60)) == ""
    given = load_pem_private_key(kept.encode(), None)
    assert isinstance(given, ec.EllipticCurvePrivateKey)
    raw = base64.urlsafe_b64encode(given.private_numbers().private_value.to_bytes(32)).rstrip(b"=").decode()
    for value in (raw, f"{raw}=", kept):
        assert vapid_key(env(tmp_path, A2A_VAPID_PRIVATE_KEY=value)) == kept


@pytest.mark.parametrize("value", ["nowhere.pem", "A" * 43, "_" * 43])
def test_what_is_no_key_for_pushes_stops_the_start(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingError, match="A2A_VAPID_PRIVATE_KEY.*P-256"):
        env(tmp_path, A2A_VAPID_PRIVATE_KEY=value)


@pytest.mark.parametrize("value", ["ada", "mailto:ada", "http://example.org", "https://"])
def test_a_contact_is_an_address_of_somebody(tmp_path: Path, value: str) -> None:
    assert env(tmp_path, A2A_VAPID_CONTACT="mailto:ada@example.org").vapid_contact == "mailto:ada@example.org"
    with pytest.raises(SettingError, match="A2A_VAPID_CONTACT"):
        env(tmp_path, A2A_VAPID_CONTACT=value)
