"""Files through real processes and an object storage: a client's reaches the agent, the agent's reach the client."""

import base64
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.plant import Json, Plant, until
from tests.factories import Cast
from tests.fakes import acp_agent
from tests.fakes.object_storage import BUCKET, KEYS, ObjectStorage, object_storage
from tests.worker.conftest import git, make_repository

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SUMS = b"a,b\n" + b"1,2\n" * 100_000


@pytest.fixture
def storage() -> Iterator[ObjectStorage]:
    with object_storage() as running:
        yield running


@pytest.fixture
def plant(cast: Cast, tmp_path: Path, storage: ObjectStorage) -> Iterator[Plant]:
    kept = {"A2A_FILE_STORAGE": f"s3://{BUCKET}", "A2A_FILE_S3_ENDPOINT": storage.url}
    with Plant(tmp_path, **kept, **KEYS) as running:
        yield running


@pytest.fixture
def shop(plant: Plant, tmp_path: Path) -> tuple[str, Path]:
    """The codebase of a laptop whose agent does what its prompt says: its id, and where it is."""
    program = tmp_path / "opencode"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(acp_agent.__file__)} "$@"\n')
    program.chmod(0o755)
    folder = make_repository(tmp_path / "shop")
    plant.worker("laptop", "--codebase", str(folder), agent=program)

    def look() -> str:
        listed = plant.http.get("/v1/opencode/codebases").json()["codebases"]
        return str(listed[0]["id"]) if listed else ""

    return until(look, "the laptop has registered its codebase"), folder


def call(plant: Plant, method: str, **params: Any) -> Json:
    answer = plant.post("/a2a/jsonrpc", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    assert "result" in answer, answer
    result: Json = answer["result"]
    return result


def made(task: Json) -> dict[str, Json]:
    """The parts of a task's artifacts that are files, by the artifacts' names."""
    return {one["name"]: one["parts"][0] for one in task["artifacts"] if one["artifactId"].startswith("file:")}


def test_files_go_in_and_come_out(plant: Plant, shop: tuple[str, Path], storage: ObjectStorage) -> None:
    codebase, folder = shop
    small = {"raw": base64.b64encode(b"one").decode(), "filename": "one.txt", "mediaType": "text/plain"}
    large = {"raw": base64.b64encode(SUMS).decode(), "filename": "sums.csv", "mediaType": "text/csv"}
    said = {"role": "ROLE_USER", "parts": [{"text": "read it"}, small, large], "metadata": {"codebase_id": codebase}}
    task = call(plant, "SendMessage", message=said)["task"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED", task
    assert plant.text(task["id"]).startswith("one;a,b\n1,2\n")
    _, by_content, by_address = task["history"][0]["parts"]
    assert by_content == small
    assert plant.http.get(by_address["url"]).content == SUMS
    assert git(folder, "status", "--porcelain") == ""
    assert len(storage.keys) == 2


def test_what_an_agent_leaves_and_changes_are_artifacts(plant: Plant, shop: tuple[str, Path]) -> None:
    codebase, folder = shop
    wanted = {"codebase_id": codebase, "metadata": {"artifacts": "files"}}
    left, changed = plant.create("leave out/report.txt done", **wanted), plant.create("write notes.txt hi", **wanted)
    plant.ended(left)
    assert base64.b64decode(made(call(plant, "GetTask", id=left))["out/report.txt"]["raw"]).startswith(b"done")
    plant.ended(changed)
    ((name, part),) = made(call(plant, "GetTask", id=changed)).items()
    assert (name, base64.b64decode(part["raw"])) == ("notes.txt", (folder / "notes.txt").read_bytes())
    listed = plant.http.get(f"/v1/opencode/tasks/{changed}/files").json()["files"]
    assert [(file["name"], file["origin"], file["created_by"]) for file in listed] == [
        ("notes.txt", "worker", "laptop")
    ]
