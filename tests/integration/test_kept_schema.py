"""Empty databases are filled from one file, which holds what the migrations make."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from apps.core import kept_schema
from apps.core.management.commands.migrate import Command
from apps.core.tenancy import AS_OWNER, Acting, acting, current
from tests.architecture.sources import ROOT


@pytest.fixture
def empty(
    monkeypatch: pytest.MonkeyPatch, django_db_setup: None, django_db_blocker: pytest.FixtureRequest
) -> Iterator[Any]:
    """A connection, by the alias `empty`, to a database that holds nothing; acting as its owner."""
    default = connections["default"]
    name = f"{default.settings_dict['NAME']}_empty"
    monkeypatch.setitem(connections.settings, "empty", {**connections.settings["default"], "NAME": name})
    with django_db_blocker.unblock(), acting(AS_OWNER), default._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(f'CREATE DATABASE "{name}"')
        try:
            yield connections["empty"]
        finally:
            connections["empty"].close()
            del connections["empty"]
            cursor.execute(f'DROP DATABASE "{name}"')


def tables(connection: Any) -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Another file, in the place of the kept one."""
    monkeypatch.setattr(kept_schema, "FILE", tmp_path / "kept.sql")
    kept_schema.FILE.write_text(
        "CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz DEFAULT now());"
        "INSERT INTO django_migrations (app, name) VALUES ('tasks', '0001_initial');",
        encoding="utf-8",
    )
    return kept_schema.FILE


def test_the_file_is_what_the_migrations_make() -> None:
    command = [sys.executable, "-m", "tests.kept_schema", "--compare"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), f"run 'make schema'\n{done.stdout}{done.stderr}"


def test_an_empty_database_is_filled_once(empty: Any, kept: Path) -> None:
    assert kept_schema.load(empty)
    assert not kept_schema.load(empty)
    assert tables(empty) == {"django_migrations"}


def test_a_database_that_holds_anything_is_left_alone(empty: Any, kept: Path) -> None:
    with empty.cursor() as cursor:
        cursor.execute("CREATE TABLE somebody_elses (name text)")
    assert not kept_schema.load(empty)
    assert tables(empty) == {"somebody_elses"}


def test_a_file_of_other_migrations_than_ours_is_not_taken(empty: Any, kept: Path) -> None:
    with kept.open("a", encoding="utf-8") as file:
        file.write("INSERT INTO django_migrations (app, name) VALUES ('tasks', '9999_of_another_release');")
    assert not kept_schema.load(empty)
    assert tables(empty) == set()


def test_a_file_that_breaks_off_leaves_nothing_behind(empty: Any, kept: Path) -> None:
    with kept.open("a", encoding="utf-8") as file:
        file.write("CREATE TABLE half (")
    with pytest.raises(Exception, match="syntax error"):
        kept_schema.load(empty)
    assert tables(empty) == set()


def test_its_checks_act_as_the_owner_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server that never saw us there is no other role yet."""
    seen: list[Acting] = []
    monkeypatch.setattr(Command, "check", lambda *_, **__: seen.append(current()))
    monkeypatch.setattr(Command, "handle", lambda *_, **__: None)
    call_command("migrate", skip_checks=False)
    assert seen == [AS_OWNER]


@pytest.mark.parametrize("options", [{"plan": True}, {"app_label": "contenttypes", "migration_name": "zero"}])
def test_who_asks_for_something_else_gets_that(empty: Any, kept: Path, options: dict[str, Any]) -> None:
    call_command("migrate", database="empty", verbosity=0, skip_checks=True, **options)
    assert MigrationRecorder(empty).applied_migrations() == {}
