"""Who owns the tables, who works with them, and a login of its own for the latter."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from codetether.embedded import Services

ROOT = Path(__file__).parents[3]
COUNT = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT current_user, session_user'); "


def manage(url: str, services: Services, data_dir: Path, *arguments: str) -> str:
    environment = {**os.environ, "DATABASE_URL": url, "A2A_REDIS_URL": services.redis_url}  # noqa: TID251
    environment |= {"CODETETHER_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "codetether.settings.base"}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_login_that_only_may_work_has_no_way_to_the_owners_rights(services: Services, data_dir: Path) -> None:
    """As the production page has it: the owner migrates, everything else logs in as who has its role."""
    manage(services.database_url, services, data_dir, "migrate", "-v0")
    secrets = json.loads((data_dir / "embedded.json").read_text())
    place = {"host": "127.0.0.1", "port": secrets["postgres_port"], "dbname": "codetether"}
    with psycopg.connect(user="postgres", password=secrets["superuser_password"], **place) as superuser:
        superuser.execute("CREATE ROLE codetether_web LOGIN PASSWORD 'quite secret'")
        superuser.execute("GRANT codetether_app TO codetether_web")
    url = f"postgresql://codetether_web:quite%20secret@127.0.0.1:{secrets['postgres_port']}/codetether"
    assert manage(url, services, data_dir, "shell", "-c", COUNT + "print(k.fetchone())").endswith(
        "('codetether_app', 'codetether_web')\n"
    )
    with psycopg.connect(url) as web:
        web.execute("SET ROLE codetether_app")
        assert web.execute("SELECT count(*) FROM tasks_task").fetchone() == (0,)
        web.execute("RESET ROLE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("ALTER TABLE tasks_task NO FORCE ROW LEVEL SECURITY")
