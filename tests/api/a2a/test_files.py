"""Files over A2A: stored with the message that brings them, given back by content or by address."""

import base64
from typing import Any

import pytest

from apps.core.db import in_database
from apps.files.models import FileChunk, StoredFile
from apps.files.services import files_remove
from apps.tasks.models import Task
from apps.tasks.selectors import files_for_holder, steering_after
from apps.tasks.services import Claim, NewTask, Outcome, task_create, task_finish
from apps.tasks.states import State
from tests.api.a2a.client import Caller, Hand, Json
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

SUMS = b"a,b\n1,2\n"
RAW = base64.b64encode(SUMS).decode()
ATTACHED = {"raw": RAW, "filename": "sums.csv", "mediaType": "text/csv"}
TEXT = {"text": "Add these up"}


async def send(ada: Caller, *parts: Json, **message: Any) -> Json:
    """SendMessage of 1.0, not waiting; the task."""
    said = {"role": "ROLE_USER", "messageId": "m1", "parts": [*parts], **message}
    result = await ada.result("SendMessage", {"message": said, "configuration": {"returnImmediately": True}})
    task: Json = result["task"]
    return task


async def files() -> list[StoredFile]:
    return await in_database(lambda: list(StoredFile.objects.all()))


async def test_file_by_content_is_stored_and_comes_back_as_it_was_sent(ada: Caller, cast: Cast) -> None:
    task = await send(ada, TEXT, ATTACHED)
    assert task["history"][0]["parts"] == [TEXT, ATTACHED]
    (file,) = await files()
    assert (str(file.task_id), file.name, file.media_type, file.size) == (task["id"], "sums.csv", "text/csv", 8)
    assert (file.origin, file.workspace_id) == ("client", cast.workspace.id)
    assert (await ada.result("GetTask", {"id": task["id"]}))["history"][0]["parts"] == [TEXT, ATTACHED]


async def test_agent_reads_that_there_is_a_file_and_its_worker_gets_it_with_the_claim(ada: Caller, hand: Hand) -> None:
    await send(ada, TEXT, ATTACHED)
    claim = await hand.take()
    row = await Task.objects.aget(id=claim.task_id)
    assert row.prompt == "Add these up\n\nAttached: sums.csv (text/csv, 8 bytes)"
    (given,) = await in_database(files_for_holder, row)
    (file,) = await files()
    assert given == {"id": str(file.id), "name": "sums.csv", "media_type": "text/csv", "size": 8, "sha256": file.sha256}


async def test_version_03_sends_and_gets_bytes(ada: Caller) -> None:
    part = {"kind": "file", "file": {"bytes": RAW, "name": "sums.csv", "mimeType": "text/csv"}}
    task = await ada.send("Add", parts=[part])
    assert task["history"][0]["parts"] == [part]
    assert len(await files()) == 1


async def test_file_alone_is_a_message(ada: Caller) -> None:
    task = await send(ada, {"raw": RAW})
    assert (await Task.objects.aget(id=task["id"])).title == "Attached: file (file, 8 bytes)"
    assert task["history"][0]["parts"] == [{"raw": RAW, "mediaType": "application/octet-stream"}]


@pytest.mark.parametrize("raw", [RAW.rstrip("="), base64.urlsafe_b64encode(b"\xff\xfe\xfb").decode(), ""])
async def test_every_spelling_of_base64_is_read(ada: Caller, raw: str) -> None:
    await send(ada, TEXT, {"raw": raw})
    assert len(await files()) == 1


@pytest.mark.parametrize("raw", ["%%%", "a", "aGk=aGk=", "aGk\n", 5, [], {"a": 1}, True, "\N{SNOWMAN}"])
async def test_what_is_not_base64_is_refused_and_nothing_stored(ada: Caller, raw: object) -> None:
    said = {"role": "ROLE_USER", "messageId": "m1", "parts": [{"raw": raw}]}
    assert await ada.code("SendMessage", {"message": said}) == -32602
    assert not await files()
    assert not await Task.objects.aexists()


@pytest.mark.parametrize("parts", [[{"raw": "x" * 2_000}], [{"raw": "x" * 800}] * 2, [{"raw": ""}] * 101])
async def test_too_much_is_refused_and_nothing_stored(ada: Caller, settings: Any, parts: list[Json]) -> None:
    settings.MAX_FILE_BYTES = 1_024
    said = {"role": "ROLE_USER", "messageId": "m1", "parts": parts}
    assert await ada.code("SendMessage", {"message": said}) == -32602
    assert not await files()
    assert not await Task.objects.aexists()


async def test_large_file_is_given_by_its_address(ada: Caller, settings: Any) -> None:
    settings.INLINE_FILE_BYTES = 7
    task = await send(ada, ATTACHED)
    (part,) = task["history"][0]["parts"]
    (file,) = await files()
    assert part == {
        "url": f"http://testserver/v1/files/{file.id}", "filename": "sums.csv", "mediaType": "text/csv",
    }  # fmt: skip
    fetched = await ada.http.get(part["url"])
    assert (fetched.status_code, fetched.content) == (200, SUMS)


async def test_only_so_many_files_stand_in_one_answer(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.a2a.files.INLINE_FILES", 1)
    task = await send(ada, ATTACHED, ATTACHED)
    assert [sorted(part)[-1] for part in task["history"][0]["parts"]] == ["raw", "url"]


async def test_file_whose_time_is_over_is_given_by_its_address(ada: Caller) -> None:
    task = await send(ada, ATTACHED)
    await in_database(files_remove, await files())
    (part,) = (await ada.result("GetTask", {"id": task["id"]}))["history"][0]["parts"]
    assert "raw" not in part
    assert (await ada.http.get(part["url"])).status_code == 404


async def test_word_to_a_task_sent_again_stores_nothing_more(ada: Caller) -> None:
    task = await send(ada, TEXT)
    for _ in range(2):
        again = await send(ada, TEXT, ATTACHED, messageId="m2", taskId=task["id"])
    assert [one["messageId"] for one in again["history"]].count("m2") == 1
    assert len(await files()) == 1


async def test_message_sent_again_stores_nothing_more(ada: Caller) -> None:
    first, again = await send(ada, TEXT, ATTACHED), await send(ada, TEXT, ATTACHED)
    assert first["id"] == again["id"]
    assert again["history"][0]["parts"] == [TEXT, ATTACHED]
    assert len(await files()) == 1
    assert await FileChunk.objects.acount() == 1


async def test_file_for_a_running_task_comes_with_the_message(ada: Caller, hand: Hand) -> None:
    task = await send(ada, TEXT)
    claim = await hand.take()
    await send(ada, {"text": "And these"}, ATTACHED, taskId=task["id"], messageId="m2")
    (message,) = await in_database(steering_after, claim.task_id, 0)
    (file,) = await files()
    assert [one["id"] for one in message["data"]["files"]] == [str(file.id)]
    assert str(file.task_id) == task["id"]
    told = await ada.result("GetTask", {"id": task["id"]})
    assert told["history"][1]["parts"] == [{"text": "And these"}, ATTACHED]


async def test_file_for_a_task_that_has_ended_is_refused_and_not_kept(ada: Caller, hand: Hand) -> None:
    task = await send(ada, TEXT)
    await hand.finish(await hand.take())
    said = {"role": "ROLE_USER", "messageId": "m2", "taskId": task["id"], "parts": [ATTACHED]}
    assert (await ada.call("SendMessage", {"message": said}))["error"]
    assert not await files()


async def test_file_that_nobody_heard_of_goes_to_the_follow_up(ada: Caller, hand: Hand) -> None:
    task = await send(ada, TEXT)
    claim = await hand.take()
    await send(ada, {"text": "And these"}, ATTACHED, taskId=task["id"], messageId="m2")
    outcome = Outcome(status=State.COMPLETED, result="3", heard_seq=0)
    await in_database(task_finish, claim=claim, outcome=outcome)
    row = await Task.objects.aget(id=(await hand.take()).task_id)
    assert [one["name"] for one in await in_database(files_for_holder, row)] == ["sums.csv"]


async def test_second_attempt_gets_the_files_of_messages_too(ada: Caller, hand: Hand) -> None:
    task = await send(ada, TEXT)
    claim = await hand.take()
    await send(ada, {"text": "And these"}, ATTACHED, taskId=task["id"], messageId="m2")
    await hand.give_back(claim)
    row = await Task.objects.aget(id=(await hand.take()).task_id)
    assert len(await in_database(files_for_holder, row)) == 1


async def made(cast: Cast, claim: Claim, content: bytes = b"\x00made") -> StoredFile:
    return await in_database(cast.file, content, task_id=claim.task_id, origin="worker", name="out/made.bin")


def artifact(file: StoredFile) -> tuple[str, Json]:
    part = {"file_id": str(file.id), "filename": "made.bin", "media_type": "application/octet-stream"}
    return "artifact", {"artifact_id": "file:out/made.bin", "name": "out/made.bin", "parts": [part]}


GIVEN = {"raw": base64.b64encode(b"\x00made").decode(), "filename": "made.bin", "mediaType": "application/octet-stream"}


async def test_file_of_an_artifact_is_given_by_content(ada: Caller, hand: Hand, cast: Cast) -> None:
    task = await send(ada, TEXT)
    claim = await hand.take()
    await hand.say(claim, artifact(await made(cast, claim)))
    await hand.finish(claim)
    told = await ada.result("GetTask", {"id": task["id"]})
    (_, file) = told["artifacts"]
    assert file == {"artifactId": "file:out/made.bin", "name": "out/made.bin", "parts": [GIVEN]}
    old = await ada.result("tasks/get", {"id": task["id"]})
    assert old["artifacts"][1]["parts"][0]["file"]["bytes"] == GIVEN["raw"]


async def test_streams_give_files_as_well(ada: Caller, hand: Hand, cast: Cast) -> None:
    task = await send(ada, TEXT)
    claim = await hand.take()
    await hand.say(claim, artifact(await made(cast, claim)))
    await hand.finish(claim)
    frames = await ada.stream("SubscribeToTask", {"id": task["id"]}, **{"last-event-id": "1"})
    parts = [event["artifactUpdate"]["artifact"]["parts"] for _, event in frames if "artifactUpdate" in event]
    assert parts[0] == [GIVEN]


async def test_files_of_other_workspaces_are_never_given(ada: Caller, cast: Cast) -> None:
    """A task's metadata are its maker's own words; they may name anything."""
    theirs = await in_database(lambda: cast.elsewhere().file(b"secret"))
    said = {"parts": [{"file_id": str(theirs.id)}, {"file_id": "nonsense"}]}
    new = NewTask(title="t", prompt="p", metadata={"a2a": said})
    task = await in_database(task_create, workspace_id=cast.workspace.id, new=new, by="eve")
    told = await ada.result("GetTask", {"id": str(task.id)})
    assert [sorted(part) for part in told["history"][0]["parts"]] == [["url"], ["url"]]
    assert (await ada.http.get(told["history"][0]["parts"][0]["url"])).status_code == 404
