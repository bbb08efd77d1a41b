"""Files in both storages: what goes in comes out, in pieces too, and nothing stays of what was refused or removed."""

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db.models.functions import Now

from apps.core.errors import TooLargeError
from apps.files.errors import FileStorageError, StoredFileNotFoundError
from apps.files.models import FileChunk, StoredFile
from apps.files.selectors import file_get, file_piece, files_of, small_contents
from apps.files.services import NewFile, file_store, files_remove
from apps.files.storage import CHUNK_BYTES
from apps.tasks import jobs
from apps.tasks.models import Task
from apps.tasks.services import Outcome, files_purge, task_finish
from apps.tasks.states import State
from tests.factories import Cast
from tests.fakes.object_storage import KEYS, ObjectStorage, object_storage

BIG = bytes(range(256)) * (CHUNK_BYTES // 128) + b"the end"


@pytest.fixture(scope="module")
def s3() -> Iterator[ObjectStorage]:
    with object_storage() as running:
        yield running


@pytest.fixture(params=["postgresql", "s3"])
def storage(request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test runs once with either storage."""
    if request.param == "s3":
        use(request.getfixturevalue("s3"), settings, monkeypatch)
    return str(request.param)


def use(s3: ObjectStorage, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.bucket.objects.all().delete()
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    settings.STORAGES = settings.STORAGES | {"files": s3.declaration()}


@pytest.fixture
def stored(storage: str, request: pytest.FixtureRequest) -> Any:
    """How many contents there are."""
    if storage == "postgresql":
        return lambda: FileChunk.objects.values("file").distinct().count()
    return lambda: len(request.getfixturevalue("s3").keys)


def whole(file: StoredFile) -> bytes:
    return b"".join(file_piece(file, at, min(CHUNK_BYTES, file.size - at)) for at in range(0, file.size, CHUNK_BYTES))


@pytest.mark.parametrize("content", [b"", b"x", b"y" * CHUNK_BYTES, BIG], ids=["empty", "byte", "chunk", "big"])
def test_what_goes_in_comes_out(storage: str, cast: Cast, content: bytes) -> None:
    file = cast.file(content)
    assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert whole(file_get(workspace_id=cast.workspace.id, file_id=str(file.id))) == content


@pytest.mark.parametrize(("start", "length"), [(0, 5), (CHUNK_BYTES - 2, 5), (len(BIG) - 7, 7), (3, CHUNK_BYTES + 9)])
def test_pieces_are_where_they_belong(storage: str, cast: Cast, start: int, length: int) -> None:
    assert file_piece(cast.file(BIG), start, length) == BIG[start : start + length]


def test_small_contents_come_together(storage: str, cast: Cast) -> None:
    files = [cast.file(content) for content in (b"one", b"", b"three")]
    assert sorted(small_contents(files).values()) == [b"", b"one", b"three"]


def test_too_large_leaves_nothing(storage: str, stored: Any, cast: Cast, settings: Any) -> None:
    settings.MAX_FILE_BYTES = 1_024
    with pytest.raises(TooLargeError):
        cast.file(b"x" * 1_025)
    assert (StoredFile.objects.count(), stored()) == (0, 0)


def test_removed_is_gone_with_its_content(storage: str, stored: Any, cast: Cast) -> None:
    gone, stays = cast.file(BIG), cast.file(b"stays")
    assert files_remove([gone]) == 1
    assert (list(StoredFile.objects.all()), stored(), whole(stays)) == ([stays], 1, b"stays")
    with pytest.raises(StoredFileNotFoundError):
        file_piece(gone, 0, 1)


def test_removing_again_changes_nothing(storage: str, cast: Cast) -> None:
    gone = cast.file()
    files_remove([gone])
    assert files_remove([gone]) == 0


def test_content_that_is_gone_is_left_out_of_many(storage: str, cast: Cast) -> None:
    gone, stays = cast.file(b"gone"), cast.file(b"stays")
    files_remove([gone])
    assert small_contents([gone, stays]) == {stays.id: b"stays"}


def test_files_of_other_workspaces_are_not_found(cast: Cast) -> None:
    theirs = cast.elsewhere().file()
    with pytest.raises(StoredFileNotFoundError):
        file_get(workspace_id=cast.workspace.id, file_id=theirs.id)
    assert not files_of(cast.workspace.id).exists()


def test_failing_storage_leaves_no_row(
    s3: ObjectStorage, cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(s3, settings, monkeypatch)
    declared = s3.declaration()
    missing = declared["OPTIONS"] | {"bucket_name": "no-such-bucket"}
    settings.STORAGES = settings.STORAGES | {"files": declared | {"OPTIONS": missing}}
    with pytest.raises(FileStorageError):
        cast.file()
    assert not StoredFile.objects.exists()


def test_storage_that_is_away_is_said_soon(
    s3: ObjectStorage, cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(s3, settings, monkeypatch)
    declared = s3.declaration()
    away = declared["OPTIONS"] | {"endpoint_url": "http://127.0.0.1:1"}
    settings.STORAGES = settings.STORAGES | {"files": declared | {"OPTIONS": away}}
    with pytest.raises(FileStorageError) as refusal:
        cast.file()
    assert (refusal.value.status, refusal.value.retry_after) == (503, 5)
    assert not StoredFile.objects.exists()


def test_objects_lie_under_the_prefix_by_workspace(
    s3: ObjectStorage, cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(s3, settings, monkeypatch)
    file = cast.file()
    assert s3.keys == [f"prod/a/{cast.workspace.id}/{file.id}"]


def test_storage_of_postgresql_is_one_of_djangos(cast: Cast) -> None:
    file, storage = cast.file(BIG), storages["files"]
    assert storage.size(file.storage_key) == len(BIG)
    with storage.open(file.storage_key) as content:
        content.seek(-7, io.SEEK_END)
        assert content.read() == b"the end"
    assert not storage.exists(f"{cast.workspace.id}/{cast.workspace.id}")
    with pytest.raises(ValueError, match="written once"):
        storage.open(file.storage_key, "wb")


def test_name_and_media_type_are_made_safe(cast: Cast) -> None:
    said = {"name": "../../etc/pass\r\nwd", "media_type": "text/html\r\nSet-Cookie: a=b"}
    file = cast.file(**said)
    assert (file.name, file.media_type) == ("etc/passwd", "application/octet-stream")


# What is removed in the end -----------------------------------------------------------------------------------------


def older(days: float) -> Any:
    return Now() - timedelta(days=days)


def ended(cast: Cast, days: float) -> Task:
    claim = cast.held()
    task = task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, result="done"))
    Task.objects.filter(id=task.id).update(completed_at=older(days))
    return task


def test_files_of_tasks_that_ended_long_ago_go(storage: str, stored: Any, cast: Cast) -> None:
    old, young, open_task = ended(cast, 91), ended(cast, 89), cast.task()
    cast.file(task_id=old.id)
    kept = [cast.file(task_id=young.id), cast.file(task_id=open_task.id)]
    assert files_purge(days=90) == 1
    assert (list(StoredFile.objects.all()), stored()) == (kept, 2)


def test_files_that_came_with_nothing_go_after_a_day(storage: str, stored: Any, cast: Cast) -> None:
    lost, waits = cast.file(), cast.file()
    StoredFile.objects.filter(id=lost.id).update(created_at=older(1.1))
    assert files_purge(days=90) == 1
    assert (list(StoredFile.objects.all()), stored()) == ([waits], 1)


def test_retention_of_zero_days_keeps_the_files_of_tasks(cast: Cast, settings: Any) -> None:
    settings.RETENTION_DAYS = 0
    lost, kept = cast.file(), cast.file(task_id=ended(cast, 1000).id)
    StoredFile.objects.filter(id=lost.id).update(created_at=older(2))
    jobs.files_purge()
    jobs.files_purge()
    assert list(StoredFile.objects.all()) == [kept]


def test_content_of_django_files_is_taken_as_well(storage: str, cast: Cast) -> None:
    new = NewFile(name="a.txt", content=ContentFile(b"hi"), origin="client", by="ada")
    assert whole(file_store(workspace_id=cast.workspace.id, new=new)) == b"hi"
