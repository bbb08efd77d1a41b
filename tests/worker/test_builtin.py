"""The built-in agent's description of a codebase, and what it says when it can do nothing."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from codetether_worker.agents.base import Assignment, Turn
from codetether_worker.agents.builtin import HELP, NO_CODEBASE, BuiltinSession
from codetether_worker.agents.survey import describe_codebase
from codetether_worker.events import Event
from tests.worker.conftest import commit_all


def describe(folder: Path) -> str:
    return describe_codebase(folder, stop=threading.Event())


async def ask(text: str, folder: Path, *, has_codebase: bool = True) -> tuple[Turn, list[Event]]:
    told: list[Event] = []
    assignment = Assignment(
        task_id="t-1", workdir=folder, agent_type="", model=None, session_id=None, auto_approves=True,
        max_steps=None, has_codebase=has_codebase, mark="M", scratch=folder, emit=told.append,
    )  # fmt: skip
    session = BuiltinSession(assignment)
    await session.start()
    return await session.prompt(text), told


def test_a_description_names_languages_layout_manifests_and_commits(shop: Path) -> None:
    (shop / "src").mkdir()
    (shop / "src" / "till.py").write_text("# TODO: count coins\nprint(1)\n")
    (shop / "pyproject.toml").write_text("[project]\n")
    commit_all(shop, "Add the till")
    text = describe(shop)
    assert text.startswith("# shop\n\n3 files, ")
    assert "2 lines of code" in text
    assert "- Python: 1 file, 2 lines" in text
    assert "- src/ (1 file)" in text
    assert "- pyproject.toml (Python)" in text
    assert "Ada: Add the till" in text
    assert "## TODO and FIXME: 1\n- src/till.py:1: # TODO: count coins" in text


def test_ignored_files_are_left_out(shop: Path) -> None:
    (shop / ".gitignore").write_text("secret.py\n")
    (shop / "secret.py").write_text("password = 1\n")
    (shop / "new.py").write_text("x = 1\n")  # not committed yet, but not ignored
    text = describe(shop)
    assert "secret.py" not in text
    assert "- Python: 1 file, 1 lines" in text


def test_links_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "diary.py").write_text("# TODO private\n")
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "diary.py").symlink_to(outside / "diary.py")
    (folder / "linked").symlink_to(outside)
    os.mkfifo(folder / "pipe.py")
    text = describe(folder)
    assert "private" not in text
    assert "0 files" in text


def test_a_folder_without_git_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "big.js").write_text("x\n" * 99)
    (tmp_path / "main.go").write_text("package main\n")
    (tmp_path / "README.md").write_text("\n# The Great Till\n")
    text = describe(tmp_path)
    assert "The Great Till" in text
    assert "- Go: 1 file, 1 lines" in text
    assert "JavaScript" not in text
    assert "Not a git repository." in text


def test_binary_files_and_odd_names_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_bytes(b"\x00\xff" * 100)
    (tmp_path / os.fsdecode(b"caf\xe9.py")).write_bytes("ünï\n".encode())
    assert "- Python: 1 file, 1 lines" in describe(tmp_path)


@pytest.mark.asyncio
@pytest.mark.parametrize("text", ["Analyze this codebase", "describe the repo", "Give me an overview of this project"])
async def test_it_describes_what_it_is_asked_about(shop: Path, text: str) -> None:
    turn, told = await ask(text, shop)
    assert turn.text.startswith("# shop")
    assert [event.kind for event in told] == ["output"]


@pytest.mark.asyncio
async def test_it_says_when_there_is_no_codebase(tmp_path: Path) -> None:
    turn, _ = await ask("Analyze this codebase", tmp_path, has_codebase=False)
    assert turn.text == NO_CODEBASE


@pytest.mark.asyncio
@pytest.mark.parametrize("text", ["Write me a web shop", "hello", "Fix the code"])
async def test_it_says_plainly_what_it_can_do(shop: Path, text: str) -> None:
    turn, _ = await ask(text, shop)
    assert turn.text == HELP
