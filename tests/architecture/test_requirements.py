"""The lock: every requirement pinned with hashes, bound to no index, and asked for by the projects' own metadata."""

import json
import re
import tomllib

import pytest

from tests.architecture.sources import ROOT

GROUPS = ("base", "worker", "test", "lint", "a2a-0-3")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def locked(group: str) -> list[str]:
    """The requirements of a lock file, each with its continuation lines, without comments."""
    text = (ROOT / "requirements" / f"{group}.txt").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [entry for entry in re.split(r"\n(?=\S)", "\n".join(lines)) if entry.strip()]


def asked(group: str) -> set[str]:
    """The names in a .in file, without those that it includes."""
    lines = (ROOT / "requirements" / f"{group}.in").read_text().splitlines()
    return {name_of(line) for line in lines if NAME.match(line)}


def declared(project: str) -> set[str]:
    """The names of a pyproject.toml's dependencies."""
    metadata = tomllib.loads((ROOT / project).read_text())
    return {name_of(line) for line in metadata["project"]["dependencies"]}


def name_of(requirement: str) -> str:
    found = NAME.match(requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


@pytest.mark.parametrize("group", GROUPS)
def test_every_locked_requirement_is_pinned_and_hashed(group: str) -> None:
    entries = locked(group)
    assert len(entries) > 2
    assert not [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]


@pytest.mark.parametrize("group", GROUPS)
def test_the_lock_is_bound_to_no_index(group: str) -> None:
    text = (ROOT / "requirements" / f"{group}.txt").read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-(?:i|f|-index-url|-extra-index-url|-find-links)\b", text, re.M)


def test_the_server_asks_for_what_its_lock_holds() -> None:
    assert declared("pyproject.toml") == asked("base") | {"codetether-worker"}


def test_the_worker_asks_for_what_its_lock_holds() -> None:
    assert declared("worker/pyproject.toml") == asked("worker")


@pytest.mark.parametrize("client", ["v1", "v03"])
def test_the_javascript_clients_are_pinned_hashed_and_bound_to_no_registry(client: str) -> None:
    folder = ROOT / "tests" / "clients" / "js" / client
    lock = json.loads((folder / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 2
    assert not [name for name, package in packages.items() if not package.get("integrity", "").startswith("sha512-")]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert lock["packages"][""]["dependencies"] == json.loads((folder / "package.json").read_text())["dependencies"]
