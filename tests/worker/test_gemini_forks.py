"""How a session of Gemini CLI, which cannot fork one itself, becomes another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codetether_worker.agents.gemini import launch_gemini
from tests.worker.test_gemini_environment import assignment

SESSION = "0caae593-4ff7-4483-84b3-5cf311e7f716"


def fork(home: Path, session_id: str) -> str | None:
    launch = launch_gemini(Path("/bin/gemini"), {"HOME": str(home)}, assignment(home))
    return launch.quirks.copied_session(launch.environment, session_id)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session's file; what is resumed begins with a line of its own."""
    kept = tmp_path / ".gemini" / "tmp" / "shop" / "chats" / "session-2026-11-21T12-25-0caae593.jsonl"
    kept.parent.mkdir(parents=True)
    lines = [{"sessionId": SESSION, "projectHash": "h"}, {"content": "hello"}, {"sessionId": SESSION}]
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return kept


def test_the_copy_says_the_same_under_its_own_id_and_the_original_stays(tmp_path: Path, session: Path) -> None:
    before = session.read_text()
    copy = fork(tmp_path, SESSION)
    assert copy
    made = session.with_name(f"session-2026-11-21T12-25-{copy[:8]}.jsonl").read_text()
    assert made == before.replace(SESSION, copy)
    assert session.read_text() == before


def test_a_session_that_is_not_here_is_not_copied(tmp_path: Path, session: Path) -> None:
    assert fork(tmp_path, SESSION[:8] + "-ffff-4483-84b3-5cf311e7f716") is None
    assert fork(tmp_path, "*") is None
    assert len(list(session.parent.iterdir())) == 1
