"""As whom the servers run when root starts them."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from codetether.embedded import EmbeddedError, Services, binaries, identity, start
from tests.unit.embedded.test_launcher import query

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become someone else")


@pytest.fixture
def closed_folder(finished_folder: Path, tmp_path: Path) -> Path:
    """A data folder below one that only root may pass."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    return shutil.copytree(finished_folder, closed / "data")


@pytest.fixture
def open_folder(finished_folder: Path) -> Iterator[Path]:
    """A data folder that everyone may reach: pytest's own are closed."""
    folder = Path("/var/tmp") / f"codetether-test-{os.getpid()}"
    folder.mkdir(mode=0o711)
    yield shutil.copytree(finished_folder, folder / "data")
    shutil.rmtree(folder)


def uid_of_postgres(data_dir: Path) -> int:
    pid = json.loads((data_dir / "services.json").read_text())["pids"]["postgres"]
    return Path(f"/proc/{pid}").stat().st_uid


def only(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    candidates = [candidate for candidate in identity._candidates() if candidate.kind == kind]
    monkeypatch.setattr(identity, "_candidates", lambda: candidates)


def works(services: Services) -> bool:
    try:
        return query(services.database_url, "SELECT 1") == 1
    finally:
        services.stop()


def test_below_an_open_folder_the_plain_user_is_enough(open_folder: Path) -> None:
    program = binaries.postgres_folder() / "postgres"
    if not _everyone_may_reach(program):
        pytest.skip("the programs themselves lie below a closed folder")
    assert identity.choose(open_folder, program).kind == "user"


def _everyone_may_reach(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.parents)


def test_below_a_closed_folder_the_plain_user_is_not_enough(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "user")
    with pytest.raises(EmbeddedError, match="PostgreSQL does not run as root") as caught:
        start(closed_folder, durable=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["user-with-file-access", "namespace"])
def test_every_way_past_a_closed_folder_works(closed_folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    only(monkeypatch, kind)
    assert works(start(closed_folder, durable=False))


def test_the_way_may_change_from_start_to_start(closed_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("user-with-file-access", "namespace", "user-with-file-access"):
        with monkeypatch.context() as patch:
            only(patch, kind)
            assert works(start(closed_folder, durable=False))


@pytest.mark.parametrize("kind", ["user-with-file-access", "namespace"])
def test_programs_below_a_closed_folder_work_too(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    only(monkeypatch, kind)
    copy = shutil.copytree(binaries.postgres_folder().parent, closed_folder.parent / "pginstall", symlinks=True)
    monkeypatch.setattr(binaries, "postgres_folder", lambda: copy / "bin")
    assert works(start(closed_folder, durable=False))


def test_the_server_is_not_root(closed_folder: Path) -> None:
    services = start(closed_folder, durable=False)
    try:
        assert uid_of_postgres(closed_folder) != 0
    finally:
        services.stop()
