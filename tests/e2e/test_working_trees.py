"""Two tasks at once on one codebase, each in a git worktree of its own: what they did is shown, merged, discarded."""

import shlex
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from tests.e2e.plant import Json, Plant, until
from tests.factories import Cast
from tests.fakes import acp_agent
from tests.worker.conftest import git, make_repository

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LEASE_SECONDS = 30


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    with Plant(tmp_path, lease_seconds=LEASE_SECONDS) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "shop")


@pytest.fixture
def codebase(plant: Plant, shop: Path, tmp_path: Path) -> str:
    """The path of the shop's codebase, whose tasks have working trees of their own."""
    program = tmp_path / "opencode"
    script = shlex.quote(str(Path(acp_agent.__file__)))
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {script} "$@"\n')
    program.chmod(0o755)
    plant.worker("ada", "--codebase", f"shop:{shop}", "--concurrency", "2", agent=program)
    found = until(lambda: plant.http.get("/v1/opencode/codebases").json()["codebases"], "ada offers the shop")
    path = f"/v1/opencode/codebases/{found[0]['id']}"
    assert plant.http.patch(path, json={"agent_config": {"working_tree": "worktree"}}).is_success
    return path


def files_by_a2a(plant: Plant, task_id: str) -> list[str]:
    """What the artifact `changes` names, to a client of the protocol."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": task_id}}
    task = plant.http.post("/a2a/jsonrpc", json=body).json()["result"]
    return _files(next(made for made in task["artifacts"] if made["artifactId"] == "changes"))


def files_by_rest(plant: Plant, task_id: str) -> list[str]:
    events = plant.http.get(f"/v1/opencode/tasks/{task_id}/events").json()["events"]
    made = [event["data"] for event in events if event["kind"] == "artifact"]
    return _files(next(data for data in made if data["artifact_id"] == "changes"))


def _files(artifact: Json) -> list[str]:
    return [file["path"] for part in artifact["parts"] if "data" in part for file in part["data"]["files"]]


def act(plant: Plant, task_id: str, action: str) -> None:
    """Have the task's working tree merged or discarded, and wait until its worker has done so."""
    asked = plant.post(f"/v1/opencode/tasks/{task_id}/working-tree", {"action": action})
    assert plant.ended(asked["task"]["id"])["status"] == "completed"


def tree(plant: Plant, task_id: str, *names: str) -> tuple[object, ...]:
    facts = plant.task(task_id)["working_tree"]
    return tuple(facts[name] for name in names)


def is_kept(plant: Plant, task_id: str) -> bool:
    return tree(plant, task_id, "state", "files", "dirty") == ("kept", 1, False)


def test_one_of_two_is_merged_and_the_other_discarded(
    plant: Plant, codebase: str, shop: Path, cast: Cast, tmp_path: Path
) -> None:
    go = tmp_path / uuid.uuid4().hex
    doors, roofs = (
        plant.create(f"hold {what}.txt {go}", title=f"Paint the {what}", codebase_id=codebase.rpartition("/")[2])
        for what in ("door", "roof")
    )
    until(lambda: all("waiting" in plant.text(one) for one in (doors, roofs)), "both are at work")
    assert tree(plant, doors, "state", "worker_id") == ("active", "ada")
    go.touch()
    for task_id, name in ((doors, "door.txt"), (roofs, "roof.txt")):
        assert plant.ended(task_id)["status"] == "completed"
        assert files_by_a2a(plant, task_id) == files_by_rest(plant, task_id) == [name]
        until(partial(is_kept, plant, task_id), "its tree is kept")
    assert not (shop / "door.txt").exists()

    act(plant, doors, "merge")
    act(plant, roofs, "discard")
    assert [path.name for path in sorted(shop.iterdir()) if path.name != ".git"] == ["README.md", "door.txt"]
    assert git(shop, "status", "--porcelain") == ""
    assert git(shop, "branch", "--list", "codetether/*") == ""
    assert "Paint the door" in git(shop, "log", "--format=%s%n%b")
    assert tree(plant, doors, "state", "merged_into") == ("merged", "main")
    assert tree(plant, roofs, "state", "merged_into")[0] == "discarded"

    otto = Client()
    otto.force_login(cast.user("otto", Role.OPERATOR, is_staff=True))
    page = otto.get(reverse("admin:tasks_task_change", args=[doors])).text
    assert "merged" in page
    assert ", into main" in page
