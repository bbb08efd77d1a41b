"""Which version of a program is here, and what the worker's agent can do with it."""

import json
from pathlib import Path

import pytest

from codetether_worker import __version__
from codetether_worker.discovery import Installed, Inventory, Model
from codetether_worker.skills import skills_of
from codetether_worker.versions import packaged_version, version_of


def program(path: Path, script: str = "exit 3") -> Path:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def package(folder: Path, content: str) -> Path:
    (folder / "package.json").write_text(content)
    return folder


@pytest.mark.parametrize("name", ["tool", "@maker/tool"])
@pytest.mark.asyncio
async def test_package_says_the_version_without_a_start(tmp_path: Path, name: str) -> None:
    started = tmp_path / "started"
    path = program(tmp_path / "node_modules" / name / "dist" / "tool", f"touch {started}")
    package(tmp_path / "node_modules" / name, json.dumps({"version": "1.2.3"}))
    link = tmp_path / "tool"
    link.symlink_to(path)
    assert await version_of(link, {}) == "1.2.3"
    assert not started.exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 7}'])
def test_damaged_package_says_nothing(tmp_path: Path, content: str) -> None:
    path = program(tmp_path / "node_modules" / "tool" / "tool")
    package(path.parent, content)
    assert packaged_version(path) is None


@pytest.mark.asyncio
async def test_any_other_program_is_asked(tmp_path: Path) -> None:
    told = program(tmp_path / "told" / "tool", '[ "$1" = --version ] && echo "tool 7"; echo more')
    assert await version_of(told, {}) == "tool 7"
    assert await version_of(program(tmp_path / "failing" / "tool"), {}) is None
    assert await version_of(tmp_path / "missing", {}) is None


def test_programs_and_skills_of_an_inventory() -> None:
    inventory = Inventory((Installed("codex", Path("/bin/codex"), (Model("openai/o9"),), "0.5"),))
    assert inventory.programs() == [
        {"name": "builtin", "version": __version__, "models": []},
        {"name": "codex", "version": "0.5", "models": ["openai/o9"]},
    ]
    codex, builtin = skills_of(inventory)
    assert (codex["id"], codex["tags"], builtin["id"]) == ("codex", ["coding", "openai"], "builtin")
    assert "codex 0.5, by the models openai/o9" in codex["description"]
