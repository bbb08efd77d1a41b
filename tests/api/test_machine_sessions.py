"""Sessions on the server's own machine: read from the programs' stores, without registration, by its operators only."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Workspace
from apps.accounts.permissions import Role
from apps.rest import answers
from apps.sessions import machine
from apps.sessions.models import AgentSession
from tests.api.conftest import Api
from tests.factories import Cast
from tests.fakes import session_stores as fake

RUNTIME = "/v1/opencode/runtime"
SHOP = "/srv/shop"
KEY = "sk-ant-api03-" + "a1" * 20


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The home folder of the user who runs the server; its agent programs have kept nothing yet."""
    settings.A2A_SECRET_ENVIRONMENT = {"HOME": str(tmp_path), "SHOP_PASSWORD": "open-sesame"}
    machine._redactor.cache_clear()
    yield tmp_path
    machine._redactor.cache_clear()


def database(home: Path) -> Path:
    return home / ".local" / "share" / "opencode" / "opencode.db"


def say(home: Path, text: str, message_id: str = "new_1") -> None:
    """Someone says something in OpenCode's session."""
    with closing(sqlite3.connect(database(home))) as connection, connection:
        message = {"role": "user", "time": {"created": fake.MADE + 9000}}
        fake.add_message(connection, "ses_1", message_id, message, [{"type": "text", "text": text}])


def read(admin: Api, path: str, **query: Any) -> dict[str, Any]:
    answer = admin.get(f"{RUNTIME}/{path}", **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_sessions_of_every_program_are_listed(admin: Api, home: Path) -> None:
    fake.every_store(home, SHOP)
    page = read(admin, "sessions")
    answers.MachineSessionPage.model_validate(page)
    counts = {session["id"]: (session["source"], session["message_count"]) for session in page["sessions"]}
    assert counts == {
        "ses_1": ("opencode", 2), "ses_0": ("opencode", 2), "c1": ("claude", 4), "x1": ("codex", 5),
        "g1": ("gemini", 3),
    }  # fmt: skip
    assert {session["directory"] for session in page["sessions"]} == {SHOP}
    assert page["available"] is True
    assert not AgentSession.objects.exists()


@pytest.mark.parametrize("session_id", ["ses_1", "ses_0", "c1", "x1", "g1"])
def test_session_is_shown_with_what_was_said_in_it(admin: Api, home: Path, session_id: str) -> None:
    fake.every_store(home, SHOP)
    answers.MachineSession.model_validate(read(admin, f"sessions/{session_id}"))
    page = read(admin, f"sessions/{session_id}/messages")
    answers.MessagePage.model_validate(page)
    said = [message["content"] for message in page["messages"] if message["content"]]
    assert said == ["Why is the till open?", "It has no lock."]
    parts = read(admin, f"sessions/{session_id}/parts")
    answers.PartPage.model_validate(parts)
    assert [part["id"] for part in parts["parts"]] == [
        part["id"] for message in page["messages"] for part in message["parts"]
    ]
    assert parts["total"] == len(parts["parts"])


def test_lists_come_in_pages(admin: Api, home: Path) -> None:
    fake.every_store(home, SHOP)
    listed = [session["id"] for session in read(admin, "sessions")["sessions"]]
    paged = [read(admin, "sessions", limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [session["id"] for page in paged for session in page["sessions"]] == listed
    assert {page["total"] for page in paged} == {5}
    for things in ("messages", "parts"):
        whole = read(admin, f"sessions/c1/{things}")[things]
        pages = [read(admin, f"sessions/c1/{things}", limit=1, offset=offset) for offset in range(len(whole) + 1)]
        assert [thing for page in pages for thing in page[things]] == whole
        assert {page["total"] for page in pages} == {len(whole)}


def test_lists_can_be_narrowed(admin: Api, home: Path) -> None:
    fake.every_store(home, SHOP)
    fake.claude_file(home / ".claude" / "projects", "/srv/diary", session_id="c2")
    assert [s["id"] for s in read(admin, "sessions", source="codex")["sessions"]] == ["x1"]
    assert [s["id"] for s in read(admin, "sessions", directory="/srv/diary")["sessions"]] == ["c2"]
    parts = read(admin, "sessions/c1/parts", message_id="c1-4")
    assert ([part["message_id"] for part in parts["parts"]], parts["total"]) == (["c1-4"], 1)


def test_projects_are_those_of_the_programs(admin: Api, home: Path) -> None:
    fake.opencode_database(database(home), f"{SHOP}/till")
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("CREATE TABLE project (id text PRIMARY KEY, worktree text)")
        connection.execute("INSERT INTO project VALUES ('p1', ?)", [SHOP])
        connection.execute("UPDATE session SET project_id = 'p1'")
    fake.claude_file(home / ".claude" / "projects", SHOP)
    page = read(admin, "projects")
    answers.MachineProjectPage.model_validate(page)
    told = {(project["source"], project["id"], project["worktree"]) for project in page["projects"]}
    assert told == {("opencode", "p1", SHOP), ("claude", SHOP, SHOP)}
    assert [s["id"] for s in read(admin, "sessions", project_id="p1")["sessions"]] == ["ses_1"]


def test_a_session_that_goes_on_is_shown_as_it_is_now(admin: Api, home: Path) -> None:
    fake.opencode_database(database(home), SHOP)
    read(admin, "sessions")
    say(home, "Lock it then.")
    assert read(admin, "sessions/ses_1")["message_count"] == 3
    assert read(admin, "sessions/ses_1/messages", offset=2)["messages"][0]["content"] == "Lock it then."


def test_secrets_stay_here(admin: Api, home: Path) -> None:
    fake.opencode_database(database(home), SHOP)
    say(home, f"The key is {KEY}, the word open-sesame.")
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("UPDATE session SET title = ?", [f"Use {KEY}"])
    told = [admin.get(f"{RUNTIME}/sessions{path}").text for path in ("", "/ses_1", "/ses_1/messages", "/ses_1/parts")]
    assert all("***" in text for text in told)
    assert not any(secret in text for text in told for secret in (KEY, "open-sesame"))


def test_without_a_store_it_says_so(admin: Api, home: Path) -> None:
    status = read(admin, "status")
    answers.MachineStatus.model_validate(status)
    assert (status["available"], status["reason"], status["stores"]) == (False, "no_store", [])
    for things in ("sessions", "projects"):
        page = read(admin, things)
        assert (page["available"], page[things], page["total"]) == (False, [], 0)
    assert admin.get(f"{RUNTIME}/sessions/ses_1").json()["code"] == "session_not_found"


def test_a_damaged_store_leaves_the_others_alone(admin: Api, home: Path) -> None:
    database(home).parent.mkdir(parents=True)
    database(home).write_bytes(b"not a database" * 100)
    assert read(admin, "status")["reason"] == "unreadable"
    fake.claude_file(home / ".claude" / "projects", SHOP)
    status = read(admin, "status")
    assert status["available"] is True
    assert [(store["source"], store["error"] is None) for store in status["stores"]] == [
        ("opencode", False), ("claude", True),
    ]  # fmt: skip
    assert [session["id"] for session in read(admin, "sessions")["sessions"]] == ["c1"]


def test_a_session_whose_tables_are_gone_is_refused_for_now(admin: Api, home: Path) -> None:
    fake.opencode_database(database(home), SHOP)
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("DROP TABLE part")
    answer = admin.get(f"{RUNTIME}/sessions/ses_1/messages")
    assert (answer.status_code, answer.json()["code"]) == (503, "session_unreadable")
    assert "Retry-After" in answer.headers


def test_it_can_be_switched_off(admin: Api, home: Path, settings: Any) -> None:
    fake.every_store(home, SHOP)
    settings.A2A_RUNTIME_SESSIONS = False
    assert read(admin, "status")["reason"] == "disabled"
    assert read(admin, "sessions")["sessions"] == []
    assert admin.get(f"{RUNTIME}/sessions/ses_1/messages").status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.WORKER])
def test_it_is_for_admins(api: Api, cast: Cast, home: Path, role: Role) -> None:
    fake.every_store(home, SHOP)
    answer = api.bearing(cast.token(role)).get(f"{RUNTIME}/sessions")
    assert answer.status_code == 403
    assert "ses_1" not in answer.text


def test_it_is_not_for_admins_of_other_workspaces(api: Api, home: Path) -> None:
    fake.every_store(home, SHOP)
    theirs = Cast(Workspace.objects.create(slug="theirs", name="Theirs"))
    for path in ("status", "projects", "sessions", "sessions/ses_1", "sessions/ses_1/messages", "sessions/ses_1/parts"):
        answer = api.bearing(theirs.token(Role.ADMIN)).get(f"{RUNTIME}/{path}")
        assert answer.status_code == 403, path
        assert "ses_1" not in answer.text
