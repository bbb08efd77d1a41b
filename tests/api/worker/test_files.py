"""Files in the worker protocol: fetched with the claim's task, sent in under its token, named in reports."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from apps.core.db import in_database
from apps.files.models import FileChunk, StoredFile
from apps.tasks.models import Task, TaskEvent
from apps.tasks.services import task_cancel
from tests.api.worker.laptop import Json, Laptop
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

CONTENT = b"\x89PNG\r\n\x00made by hand"


async def held_by(laptop: Laptop, cast: Cast, **more: Any) -> Json:
    await in_database(cast.task, **more)
    return await laptop.take()


async def upload(
    laptop: Laptop, held: Json, content: bytes | AsyncIterator[bytes] = CONTENT, name: str = "a/b.png", **headers: str
) -> httpx.Response:
    shown = {"X-Claim-Token": held["claim_token"], "Content-Type": "image/png", "X-Worker-ID": laptop.name}
    return await laptop.http.post(
        f"/v1/worker/tasks/{held['id']}/files", params={"name": name}, content=content, headers=shown | headers
    )


async def stored() -> list[StoredFile]:
    return await in_database(lambda: list(StoredFile.objects.all()))


async def nothing_is_stored() -> bool:
    return not await stored() and not await FileChunk.objects.aexists()


async def test_file_of_a_held_task_is_kept(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    answer = await upload(w1, held)
    (file,) = await stored()
    told = answer.json()
    assert (answer.status_code, told["success"], told["file"]["id"]) == (200, True, str(file.id))
    assert (file.name, file.media_type, file.size) == ("a/b.png", "image/png", len(CONTENT))
    assert (str(file.task_id), file.origin, file.created_by) == (held["id"], "worker", "w1")
    got = await w1.http.get(f"/v1/worker/files/{file.id}")
    assert (got.status_code, got.content) == (200, CONTENT)


async def test_same_file_again_is_the_same_file(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    first, again = await upload(w1, held), await upload(w1, held)
    assert first.json() == again.json()
    assert len(await stored()) == 1


async def test_other_content_under_the_same_name_is_another_file(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await upload(w1, held)
    await upload(w1, held, b"second draft")
    assert [file.name for file in await stored()] == ["a/b.png", "a/b.png"]


@pytest.mark.parametrize("token", ["", "nonsense", "01a1fea9-d497-7583-8846-d59e1ec7af80"])
async def test_stale_claim_is_refused_and_nothing_stored(cast: Cast, w1: Laptop, token: str) -> None:
    held = await held_by(w1, cast)
    answer = await upload(w1, held, **{"X-Claim-Token": token})
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_claim")
    assert await nothing_is_stored()


async def test_cancelled_task_takes_no_files(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await in_database(task_cancel, workspace_id=cast.workspace.id, task_id=held["id"], by="ada")
    assert (await upload(w1, held)).status_code == 409
    assert await nothing_is_stored()


async def test_claim_that_is_lost_while_the_file_comes_is_refused(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)

    async def slowly() -> AsyncIterator[bytes]:
        yield CONTENT
        await in_database(task_cancel, workspace_id=cast.workspace.id, task_id=held["id"], by="ada")
        yield CONTENT

    answer = await upload(w1, held, slowly())
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_claim")
    assert await nothing_is_stored()


async def test_file_needs_a_name(cast: Cast, w1: Laptop) -> None:
    answer = await upload(w1, await held_by(w1, cast), name="")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert await nothing_is_stored()


@pytest.mark.parametrize("announced", [True, False])
async def test_too_large_is_refused_and_nothing_stored(cast: Cast, w1: Laptop, settings: Any, announced: bool) -> None:
    settings.MAX_FILE_BYTES = 1_024

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500

    answer = await upload(w1, await held_by(w1, cast), b"x" * 1_025 if announced else pieces())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert await nothing_is_stored()


async def test_file_may_be_larger_than_other_bodies(cast: Cast, w1: Laptop, settings: Any) -> None:
    settings.MAX_BODY_BYTES = 1_024
    held = await held_by(w1, cast)
    assert (await upload(w1, held, b"x" * 5_000)).status_code == 200
    refused = await w1.report(held, {"kind": "status", "data": {"message": "x" * 2_000}})
    assert refused.status_code == 413


async def test_task_may_have_so_many_files(cast: Cast, w1: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.tasks.services.files.FILES_PER_TASK", 1)
    held = await held_by(w1, cast)
    await upload(w1, held, b"1")
    assert (await upload(w1, held, b"2")).status_code == 413
    assert len(await stored()) == 1


async def test_other_workspaces_take_and_give_nothing(cast: Cast, w1: Laptop) -> None:
    theirs = await in_database(cast.elsewhere)
    claim = await in_database(theirs.held)
    file = await in_database(theirs.file, task_id=claim.task_id)
    held = {"id": str(claim.task_id), "claim_token": str(claim.token)}
    assert (await upload(w1, held)).status_code == 404
    assert (await w1.http.get(f"/v1/worker/files/{file.id}")).status_code == 404
    assert await stored() == [file]


async def test_claim_names_the_files_that_came_with_the_task(cast: Cast, w1: Laptop) -> None:
    task = await in_database(cast.task, metadata={"attachments": 1})
    file = await in_database(cast.file, b"a,b\n", task_id=task.id)
    await in_database(cast.file, b"made before", task_id=task.id, origin="worker")
    (given,) = (await w1.take())["files"]
    assert given == {"id": str(file.id), "name": "sums.csv", "media_type": "text/csv", "size": 4, "sha256": file.sha256}


async def test_claim_of_a_task_without_files_names_none(cast: Cast, w1: Laptop) -> None:
    assert (await held_by(w1, cast))["files"] == []


def artifact(file_id: str) -> Json:
    return {"kind": "artifact", "data": {"artifact_id": "a", "parts": [{"file_id": file_id}]}}


async def test_report_may_name_files_of_its_task(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    file_id = (await upload(w1, held)).json()["file"]["id"]
    assert (await w1.report(held, artifact(file_id), artifact(file_id))).status_code == 200
    assert await TaskEvent.objects.filter(kind="artifact").acount() == 2


async def test_report_may_name_no_other_files(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    elsewhere = await in_database(lambda: cast.file(task_id=cast.task().id))
    theirs = await in_database(lambda: cast.elsewhere().file())
    own = (await upload(w1, held)).json()["file"]["id"]
    for named in ("nonsense", str(elsewhere.id), str(theirs.id)):
        refused = await w1.report(held, artifact(own), artifact(named))
        assert (refused.status_code, refused.json()["code"]) == (400, "unknown_event")
    assert (await Task.objects.aget(id=held["id"])).last_seq == 2
