"""What leaves this machine without its secrets. None of these secrets is real: each is made of its service's shape."""

import json

import pytest

from codetether_sessions.redaction import HIDDEN, Redactor, without_secrets

LETTERS = "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z"
HEX = "0123456789abcdef" * 4
KEY_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"

SHAPES = [
    f"sk-ant-api03-{LETTERS}-{LETTERS}AA",
    f"sk-proj-{LETTERS}_{LETTERS}",
    f"sk-{LETTERS}{LETTERS[:16]}",
    f"sk-or-v1-{HEX}",
    f"AIza{LETTERS}abc",
    "AKIA" + "ABCDEFGH12345678",
    f"ghp_{LETTERS}abcd",
    f"github_pat_{LETTERS}_{LETTERS}",
    f"glpat-{LETTERS[:20]}",
    f"xoxb-1234567890-{LETTERS}",
    f"sk_live_{LETTERS}",
    f"npm_{LETTERS}abcd",
    f"pypi-AgEI{LETTERS}{LETTERS}",
    f"hf_{LETTERS}ab",
    f"xai-{LETTERS}{LETTERS}",
    f"gsk_{LETTERS}{LETTERS[:20]}",
    f"SG.{LETTERS[:22]}.{LETTERS}",
    f"dop_v1_{HEX}",
    f"hvs.{LETTERS}",
    f"ct_{LETTERS}",
    f"123456789:AA{LETTERS}a",
    f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.{LETTERS}",
]


@pytest.mark.parametrize("secret", SHAPES)
@pytest.mark.parametrize("around", ["{}", "key: {}.", "run --key={} now", '{{"a": "{}"}}', "({})", "X={}\n"])
def test_keys_are_known_by_their_shape_wherever_they_stand(secret: str, around: str) -> None:
    clean = without_secrets(around.format(secret))
    assert secret not in clean
    assert LETTERS[:12] not in clean
    assert HIDDEN in clean


SHORTEST = [
    "xoxb-1234567890", "xapp-1-1234567890", "AKIAABCDEFGH12345678", f"sk_live_{LETTERS[:16]}", f"ct_{LETTERS[:20]}",
    f"sk-{LETTERS[:20]}", f"hvs.{LETTERS[:20]}", f"SG.{LETTERS[:16]}.{LETTERS[:16]}", f"glpat-{LETTERS[:20]}",
    "eyJabcdefgh.eyJabcdefgh.abcdefgh", f"npm_{LETTERS}abcd", f"12345678:AA{LETTERS}a",
]  # fmt: skip


@pytest.mark.parametrize("secret", SHORTEST)
def test_the_shortest_of_each_kind_is_known_without_anything_around_it(secret: str) -> None:
    assert without_secrets(secret) == HIDDEN


@pytest.mark.parametrize(
    "said", ["MY_API_KEY=abcdef", "paSSwd = 'abcdef'", "a_CREDENTIAL: 'abcdef'", "PASSPHRASE=abcdef", "Token='abcdef'"]
)
def test_the_shortest_values_are_known_by_their_names(said: str) -> None:
    assert "abcdef" not in without_secrets(said)


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
@pytest.mark.parametrize("newline", ["\n", "\\n", "\r\n"])
def test_private_keys_go_and_what_follows_stays(kind: str, newline: str) -> None:
    pem = newline.join((f"-----BEGIN {kind}-----", KEY_BODY, KEY_BODY, f"-----END {kind}-----"))
    clean = without_secrets(f"cat id_rsa{newline}{pem}{newline}done")
    assert KEY_BODY not in clean
    assert clean.endswith(f"{newline}done")


def test_private_key_that_was_cut_off_goes_to_the_end() -> None:
    assert KEY_BODY not in without_secrets(f"-----BEGIN PRIVATE KEY-----\n{KEY_BODY}\n{KEY_BODY}")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abcdefgh12345678ijkl", "Authorization: Bearer ***"),
        ("curl -H 'authorization: bearer 0a1b2c3d4e5f6a7b8c9d'", "curl -H 'authorization: bearer ***'"),
        ("Authorization: Basic YWRhOmh1bnRlcjIyMjI=", "Authorization: Basic ***"),
        ("Authorization: Token 9944b09199c62bcf9418ad846dd0e4bb", "Authorization: Token ***"),
        ("x-api-key: 9944b09199c62bcf9418", "x-api-key: ***"),
        ("postgresql://ada:hunter2@db.example.org/shop", "postgresql://ada:***@db.example.org/shop"),
        ("redis://:s3cr3t@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("git clone https://oauth2:abc123@git.example.org/x.git", "git clone https://oauth2:***@git.example.org/x.git"),
        ("https://hooks.slack.com/services/T0000/B0000/abcdefghijklmnop", "https://hooks.slack.com/services/***"),
        ("API_KEY=a1b2c3d4e5\nDEBUG=1", "API_KEY=***\nDEBUG=1"),
        ("export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "export AWS_SECRET_ACCESS_KEY=***"),
        ("+DB_PASSWORD=correct-horse", "+DB_PASSWORD=***"),
        ("SMTP_PASSWORD='correct horse'", "SMTP_PASSWORD='correct horse'"),  # a sentence is not told from a password
        ('password = "hunter22"', 'password = "***"'),
        ("'client_secret': 'abcdef123456'", "'client_secret': '***'"),
        ('{"apiKey":"abcdef123456"}', '{"apiKey":"***"}'),
        (r"{\"access_token\": \"abcdef123456\"}", r"{\"access_token\": \"***\"}"),
    ],
)
def test_secrets_are_known_by_what_stands_before_them(text: str, clean: str) -> None:
    assert without_secrets(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "The bearer of good news came at 10:30.",
        "Bearer authentication-is-required-here",
        "Install scikit-learn (sk-learn) and task-runner-for-everything.",
        "commit 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
        "01a1fe10-7547-7410-94e7-41e16a286c5f",
        "sha256:e81329cb5f6f9a4047b61fd8c5ab285dd81474e78a22fb71d4fe8ee60e744256",
        "max_tokens = 4096, token_count: 12345678",
        'token_type: "identifier"',
        "password = get_password(user)",
        'API_KEY = os.environ["API_KEY"]',
        "TOKEN=$TOKEN",
        "API_KEY=${API_KEY}",
        "API_KEY=<your key>",
        "API_KEY=your-api-key-here",
        "postgresql://ada:${DB_PASSWORD}@db/shop",
        "https://example.org:8443/a@b",
        "ssh://git@example.org:22/x.git",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "ses_e01ff6b6effesnQzplAggd6XwB msg_1fe00949400177HngEpr9jtRfM prt_1fe00949a0017OAo78N5yp5GPi",
        "The password must have 8 characters; the token expires.",
        "def test_token(): assert token == expected_token",
        "toolu_b2c6cffee15f48ce call_daad3712b4",
    ],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_values_are_cleaned_in_depth_and_by_their_names() -> None:
    redactor = Redactor({"MY_TOKEN": "only-this-machine-knows", "PATH": "/usr/bin:/bin"})
    told = {
        "state": {"input": {"password": "x", "tokens": 5, "path": "/usr/bin"}, "output": [f"got {SHAPES[0]}"]},
        "said": "it is only-this-machine-knows, found in /usr/bin:/bin",
    }
    clean = redactor.value(told)
    assert clean["state"]["input"] == {"password": HIDDEN, "tokens": 5, "path": "/usr/bin"}
    assert clean["state"]["output"] == [f"got {HIDDEN}"]
    assert clean["said"] == f"it is {HIDDEN}, found in /usr/bin:/bin"
    assert told["said"] != clean["said"]


@pytest.mark.parametrize(
    "text", ["a" * 300_000, "password" * 40_000, "x:" * 150_000, "-----BEGIN PRIVATE KEY-----" * 9000]
)
def test_large_texts_are_read_in_linear_time(text: str) -> None:
    without_secrets(text)


def test_clean_json_stays_json() -> None:
    body = {"text": f'{{"api_key": "{SHAPES[2]}"}}', "url": "redis://:s3cr3t@h/0"}
    assert json.loads(json.dumps(Redactor({}).value(body)))["url"] == "redis://:***@h/0"
