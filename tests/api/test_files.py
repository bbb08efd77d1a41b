"""Fetching files over HTTP: whole, in parts, not at all; and the list of a task's files."""

from typing import Any

import pytest

from apps.accounts.permissions import Role
from apps.files.models import StoredFile
from apps.files.services import files_remove
from apps.files.storage import CHUNK_BYTES
from apps.rest import answers
from tests.api.conftest import Api
from tests.factories import Cast

BIG = bytes(range(256)) * (CHUNK_BYTES // 100) + b"the end"


@pytest.fixture
def file(cast: Cast, api: Api) -> StoredFile:
    return cast.file(b"0123456789", name="out/Übersicht 1.html", media_type="text/html")


def address(file: StoredFile) -> str:
    return f"/v1/files/{file.id}"


def test_file_is_sent_as_an_attachment_that_no_browser_runs(api: Api, file: StoredFile) -> None:
    answer = api.get(address(file))
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    told = answer.headers
    assert (told["Content-Type"], told["Content-Length"], told["ETag"]) == ("text/html", "10", f'"{file.sha256}"')
    assert told["Content-Disposition"] == "attachment; filename*=utf-8''%C3%9Cbersicht%201.html"
    assert told["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in told["Content-Security-Policy"]


def test_large_file_is_sent_in_pieces(api: Api, cast: Cast) -> None:
    assert api.get(address(cast.file(BIG))).content == BIG


def test_head_tells_without_the_content(api: Api, file: StoredFile) -> None:
    answer = api.call("HEAD", address(file))
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "10", b"")


@pytest.mark.parametrize("etag", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_known_file_is_not_sent_again(api: Api, file: StoredFile, etag: str) -> None:
    answer = api.call("GET", address(file), headers={"If-None-Match": etag.format(file.sha256)})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=0-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_part_of_a_file(api: Api, file: StoredFile, asked: str, content: bytes, told: str) -> None:
    answer = api.call("GET", address(file), headers={"Range": asked})
    assert (answer.status_code, answer.content, answer.headers["Content-Range"]) == (206, content, told)
    assert answer.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "nonsense", "bytes=a-b"])
def test_range_that_is_not_understood_is_ignored(api: Api, file: StoredFile, asked: str) -> None:
    assert api.call("GET", address(file), headers={"Range": asked}).status_code == 200


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_range_beyond_the_end_is_refused(api: Api, file: StoredFile, asked: str) -> None:
    answer = api.call("GET", address(file), headers={"Range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")


def test_range_of_a_changed_file_gives_the_whole(api: Api, file: StoredFile) -> None:
    headers = {"Range": "bytes=2-4", "If-Range": '"another"'}
    assert api.call("GET", address(file), headers=headers).status_code == 200


def test_empty_file(api: Api, cast: Cast) -> None:
    answer = api.get(address(cast.file(b"")))
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize("content", [b"small", BIG])
def test_content_that_is_gone_is_a_404(api: Api, cast: Cast, content: bytes) -> None:
    file = cast.file(content)
    file.chunks.all().delete()  # type: ignore[attr-defined]
    assert api.get(address(file)).json()["code"] == "file_not_found"
    files_remove([file])
    assert api.get(address(file)).status_code == 404


def test_files_of_other_workspaces_are_not_found(api: Api, cast: Cast) -> None:
    theirs = cast.elsewhere().file()
    assert api.get(address(theirs)).json() == {"detail": "There is no such file.", "code": "file_not_found"}


def test_workers_fetch_files_by_their_own_address_only(api: Api, cast: Cast, file: StoredFile) -> None:
    worker = api.bearing(cast.token(Role.WORKER))
    assert worker.get(address(file)).status_code == 403
    assert worker.get(f"/v1/worker/files/{file.id}").status_code == 200
    assert api.get(f"/v1/worker/files/{file.id}").status_code == 403


def test_files_of_a_task_are_listed(api: Api, cast: Cast) -> None:
    task = cast.task()
    came, made = cast.file(task_id=task.id), cast.file(b"made", task_id=task.id, origin="worker", name="made.txt")
    cast.file(task_id=cast.task().id)

    def listed(**query: Any) -> list[str]:
        page = api.get(f"/v1/opencode/tasks/{task.id}/files", **query).json()
        answers.FilePage.model_validate(page)
        assert page["total"] == len(page["files"])
        return [entry["id"] for entry in page["files"]]

    assert listed() == [str(came.id), str(made.id)]
    assert listed(origin="worker") == [str(made.id)]
    assert api.get(f"/v1/agent/tasks/{task.id}/files").json()["files"][0]["url"] == address(came)


def test_files_of_other_workspaces_tasks_are_not_listed(api: Api, cast: Cast) -> None:
    theirs = cast.elsewhere()
    task = theirs.task()
    theirs.file(task_id=task.id)
    assert api.get(f"/v1/opencode/tasks/{task.id}/files").status_code == 404
