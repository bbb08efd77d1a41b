"""Production does not start with a choice that is only good for trying things out."""

import os
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

GOOD = {
    "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x",
    "A2A_REDIS_URL": "redis://127.0.0.1:1",
    "CODETETHER_SECRET_KEY": "a random text: " + "0123456789abcdefghij" * 3,
    "CODETETHER_ALLOWED_HOSTS": "codetether.example.org",
}


def start(**changes: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in {**GOOD, **changes}.items() if value}
    command = [sys.executable, "-c", "import codetether.settings.production"]
    return subprocess.run(
        command, env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True, check=False, timeout=60
    )


def test_good_choices_start() -> None:
    assert start().returncode == 0


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"CODETETHER_SECRET_KEY": ""}, "CODETETHER_SECRET_KEY"),
        ({"CODETETHER_DEBUG": "true"}, "CODETETHER_DEBUG"),
        ({"A2A_AUTH_ENABLED": "false", "A2A_HOST": "0.0.0.0"}, "A2A_AUTH_ENABLED"),
        ({"A2A_AUTH_ENABLED": "false", "A2A_GRPC_HOST": "0.0.0.0"}, "A2A_AUTH_ENABLED"),
        ({"A2A_GRPC_URL": "https://codetether.example.org"}, "A2A_GRPC_URL"),
        ({"A2A_GRPC_TLS_CERT": "cert.pem"}, "A2A_GRPC_TLS_KEY"),
        ({"CODETETHER_ALLOWED_HOSTS": ""}, "CODETETHER_ALLOWED_HOSTS"),
        ({"CODETETHER_ALLOWED_HOSTS": "codetether.example.org,*"}, "CODETETHER_ALLOWED_HOSTS"),
        ({"CODETETHER_SECRET_KEY": "0123456789abcdefghij" * 2}, "CODETETHER_SECRET_KEY"),
        ({"CODETETHER_SECRET_KEY": "k" * 60}, "CODETETHER_SECRET_KEY"),
        ({"CODETETHER_SECRET_KEY": "django-insecure-" + "0123456789abcdefghij" * 3}, "CODETETHER_SECRET_KEY"),
        ({"A2A_AUTH_TOKENS": "ci:changeme"}, "A2A_AUTH_TOKENS"),
        ({"A2A_AGENT_URL": "http://codetether.example.org"}, "A2A_AGENT_URL"),
        ({"A2A_CORS_ORIGINS": "http://app.example.org"}, "A2A_CORS_ORIGINS"),
        ({"A2A_CORS_ORIGINS": "https://app.example.org/page"}, "A2A_CORS_ORIGINS"),
        ({"A2A_RATE_LIMIT_ANONYMOUS": "often"}, "A2A_RATE_LIMIT_ANONYMOUS"),
    ],
)
def test_wrong_choice_is_named(wrong: dict[str, str], named: str) -> None:
    refused = start(**wrong)
    assert refused.returncode != 0
    assert named in refused.stderr.splitlines()[-1]


def test_djangos_own_checks_find_nothing_to_say() -> None:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    variables = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "codetether.settings.production", **GOOD}
    checked = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stderr
    assert "no issues (0 silenced)" in checked.stdout
