"""What each kind of process loads: what it does not need would cost every start of it time and memory."""

import subprocess
import sys

import pytest

from codetether import env

PAGES = ("apps.tasks.admin", "apps.rest.urls")
KINDS = {
    "gRPC": "import codetether.grpc_server",
    "the bridge": "import codetether.bridge",
    "jobs and clock": "from codetether.celery import app; app.loader.import_default_modules()",
    "what prepares the database": "import codetether.supervisor.prepare, django; django.setup()",
}


@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_loaded_by_who_serves_them(kind: str) -> None:
    show = f"; import sys; print(*(name for name in {PAGES} if name in sys.modules))"
    variables = {"DJANGO_SETTINGS_MODULE": "codetether.settings.offline", "CELERY_SKIP_CHECKS": "1"}
    command = [sys.executable, "-c", KINDS[kind] + show]
    done = subprocess.run(command, env=env.inherited(**variables), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
