"""Files of a task: fetched before the agent begins, handed in when it is done, and never a reason to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codetether_sessions.redaction import looks_secret
from codetether_worker.picking import MOST_CHANGED, changed_files, left_files
from codetether_worker.protocol import Claim, Message
from tests.fakes.control_plane import FakeControlPlane, FakeTask
from tests.worker.conftest import StartWorker, eventually, git

FILES = {"artifacts": "files"}
CLAIM = {"id": "t1", "claim_token": "c1"}


def artifacts(task: FakeTask) -> dict[str, str]:
    """What was handed over: the file ids of the reported artifacts, by their names."""
    files = [event for event in task.events("artifact") if event["artifact_id"].startswith("file:")]
    return {event["name"]: event["parts"][0]["file_id"] for event in files}


def statuses(task: FakeTask) -> str:
    return "\n".join(event["message"] for event in task.events("status"))


def scratch(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("scratch/*") if path.is_dir()]


# What comes in -------------------------------------------------------------------------------------------------------


def test_agent_finds_the_files_of_its_task(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path, tmp_path: Path
) -> None:
    start_worker("--codebases", str(shop))
    sent = [server.add_file("sums.csv", b"1,2"), server.add_file("../../sums.csv", b"3,4")]
    task = server.wait_ended(server.add_codebase_task("read them", str(shop), files=sent))
    assert (task.status, task.text) == ("completed", "1,2;3,4;")
    assert git(shop, "status", "--porcelain") == ""
    assert scratch(tmp_path) == []


def test_files_of_a_killed_worker_go_when_it_is_back(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    task = server.add_task(f"wait {tmp_path}/go", files=[server.add_file("sums.csv", b"1,2")])
    server.wait_for(lambda: task.text == "waiting")
    worker.kill()
    (left,) = scratch(tmp_path)
    assert (left / "attachments" / "1" / "sums.csv").read_bytes() == b"1,2"
    worker.start()
    eventually(lambda: not left.exists())


def test_names_of_files_in_the_codebase_are_still_named(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    task = server.add_task("echo hi", metadata={"files": ["a.py"]}, files=[])
    assert "- a.py" in server.wait_ended(task).text


def test_file_of_a_message_is_there_before_its_turn(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    task = server.add_codebase_task(f"wait {shop}/go", str(shop))
    server.wait_for(lambda: task.text == "waiting")
    server.say(task, "read them", files=[server.add_file("late.txt", b"late")])
    beats = len(server.heartbeats)
    server.wait_for(lambda: len(server.heartbeats) > beats + 2)
    (shop / "go").touch()
    assert server.wait_ended(task).text.endswith("late;")


def test_download_is_tried_again_when_the_server_was_away(server: FakeControlPlane, start_worker: StartWorker) -> None:
    sent = server.add_file("sums.csv", b"1,2")
    server.refuse_next("/v1/worker/files/", 503, "unavailable")
    start_worker()
    assert server.wait_ended(server.add_task("read it", files=[sent])).text == "1,2;"


@pytest.mark.parametrize("fault", ["gone", "changed"])
def test_file_that_cannot_be_had_is_named_and_the_work_goes_on(
    server: FakeControlPlane, start_worker: StartWorker, fault: str
) -> None:
    sent = server.add_file("sums.csv", b"1,2")
    if fault == "gone":
        del server.files[sent["id"]]
    else:
        server.files[sent["id"]] = b"9,9"
    start_worker()
    task = server.wait_ended(server.add_task("echo hi", files=[sent]))
    assert task.status == "completed"
    assert "sums.csv: cannot be fetched" in task.text
    assert "sums.csv cannot be fetched" in statuses(task)


def test_claim_tells_attachments_from_names() -> None:
    sent = {"id": "f1", "name": "a", "media_type": "text/plain", "size": 1, "sha256": "00"}
    claim = Claim.parse({**CLAIM, "files": [sent, {"id": 5}, "x", {"path": "b.py"}]})
    assert ([one.id for one in claim.attachments], claim.files) == (["f1"], ("x", "b.py"))
    assert Claim.parse({**CLAIM, "files": [sent], "metadata": {"files": ["c.py"]}}).files == ("c.py",)
    assert Message.parse({"data": {"files": [sent]}}).attachments == claim.attachments


# What goes out -------------------------------------------------------------------------------------------------------


def test_what_the_agent_leaves_is_handed_over(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    task = server.wait_ended(server.add_task("leave out/report.csv 1,2"))
    assert task.status == "completed"
    assert server.files[artifacts(task)["out/report.csv"]] == b"1,2"
    (event,) = task.events("artifact")
    assert event["artifact_id"] == "file:out/report.csv"
    assert event["parts"][0]["filename"] == "report.csv"
    assert event["parts"][0]["media_type"] == "text/csv"
    assert (event["append"], event["last_chunk"]) == (False, True)


def test_changed_files_are_handed_over_where_they_are_wanted(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    quiet = server.wait_ended(server.add_codebase_task("shell one.txt", str(shop)))
    task = server.wait_ended(server.add_codebase_task("write two.txt hi", str(shop), metadata=FILES))
    assert artifacts(quiet) == {}
    assert list(artifacts(task)) == ["two.txt"]
    assert server.files[artifacts(task)["two.txt"]] == (shop / "two.txt").read_bytes()
    assert task.kinds.index("artifact") > task.kinds.index("file_change")


def test_agent_is_told_where_to_put_files_only_where_they_are_wanted(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker()
    assert "CODETETHER_ARTIFACTS_DIR" in server.wait_ended(server.add_task("echo hi", metadata=FILES)).text
    assert server.wait_ended(server.add_task("echo hi")).text == "hi "


def test_builtin_agent_is_asked_what_the_client_asked(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    asked = server.add_task("Calculate 25 * 4", metadata={"agent": "builtin", **FILES})
    assert server.wait_ended(asked).text == "100"


def test_refused_upload_is_told_and_fails_nothing(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.refuse_next("/files", 413, "too_large")
    start_worker()
    task = server.wait_ended(server.add_task("leave big.bin x"))
    assert (task.status, artifacts(task), task.files) == ("completed", {}, [])
    assert "not handed over: big.bin: too_large" in statuses(task)


def test_upload_is_tried_again_when_the_server_was_away(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.refuse_next("/files", 503, "unavailable")
    start_worker()
    assert list(artifacts(server.wait_ended(server.add_task("leave a.txt x")))) == ["a.txt"]


def test_secrets_stay_here(server: FakeControlPlane, start_worker: StartWorker, shop: Path) -> None:
    start_worker("--codebases", str(shop))
    task = server.wait_ended(server.add_codebase_task("write .env A=b", str(shop), metadata=FILES))
    assert (artifacts(task), task.files) == ({}, [])
    assert ".env: looks like a secret" in statuses(task)


# What is picked ------------------------------------------------------------------------------------------------------


async def picked(root: Path, *names: str) -> tuple[list[str], str]:
    found = await changed_files(root, [root / name for name in names])
    return [made.name for made in found.files], "; ".join(found.skipped)


@pytest.mark.asyncio
async def test_only_what_is_inside_and_not_ignored(shop: Path) -> None:
    (shop / ".gitignore").write_text("*.log\nbuild/\n")
    for name in ("a.txt", "sub/b.txt", "c.log", "build/d.txt", ".git/e.txt"):
        (shop / name).parent.mkdir(exist_ok=True)
        (shop / name).write_text(name)
    (shop.parent / "outside.txt").write_text("mine")
    names = ("a.txt", "sub/b.txt", "c.log", "build/d.txt", ".git/e.txt", "../outside.txt", "gone.txt", "/etc/hostname")
    assert await picked(shop, *names) == (["a.txt", "sub/b.txt"], "")


@pytest.mark.asyncio
async def test_links_lead_nowhere(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key.txt").write_text("mine")
    (shop / "link.txt").symlink_to(tmp_path / "private" / "key.txt")
    (shop / "folder").symlink_to(tmp_path / "private")
    names, skipped = await picked(shop, "link.txt", "folder/key.txt")
    assert names == []
    assert "link.txt: is a link" in skipped
    assert "folder/key.txt" in skipped


@pytest.mark.asyncio
async def test_large_and_special_files_stay_here(shop: Path) -> None:
    (shop / "big.bin").write_bytes(b"x" * (256 * 1024 + 1))
    (shop / "fits.bin").write_bytes(b"\0" * (256 * 1024))
    os.mkfifo(shop / "pipe")
    names, skipped = await picked(shop, "big.bin", "fits.bin", "pipe")
    assert names == ["fits.bin"]
    assert "big.bin: is larger than" in skipped
    assert "pipe: is no plain file" in skipped


@pytest.mark.asyncio
async def test_so_many_and_no_more(shop: Path) -> None:
    names = [f"{number:02}.txt" for number in range(MOST_CHANGED + 2)]
    for name in names:
        (shop / name).touch()
    kept, skipped = await picked(shop, *names)
    assert kept == names[:MOST_CHANGED]
    assert "21.txt: there are more than 20" in skipped


@pytest.mark.asyncio
async def test_folder_without_git_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert await picked(tmp_path, "a.txt") == (["a.txt"], "")


def test_left_files_are_all_but_links_and_secrets(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.txt").touch()
    (tmp_path / "id_rsa").touch()
    (tmp_path / "link").symlink_to("/etc/passwd")
    found = left_files(tmp_path)
    assert [made.name for made in found.files] == ["a/b/c.txt"]
    assert found.skipped == ("id_rsa: looks like a secret", "link: is a link")


def test_names_that_are_no_text_can_be_sent(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).touch()
    assert [made.name for made in left_files(tmp_path).files] == ["caf\N{REPLACEMENT CHARACTER}.txt"]


@pytest.mark.parametrize(
    "path",
    [".env", ".env.local", "prod.env", "tls/server.pem", "a.KEY", "id_rsa", "id_ed25519.pub", "credentials.json",
     "credentials", "aws-credentials", "secrets.yaml", "app_secrets.py", ".ssh/config", ".aws/config", ".netrc",
     ".npmrc", "terraform.tfstate", ".git-credentials", "kubeconfig-prod"],
)  # fmt: skip
def test_looks_like_a_secret(path: str) -> None:
    assert looks_secret(path)


@pytest.mark.parametrize("path", ["a.py", "environment.py", "keys.py", "secretary.md", "README", "src/env/a.txt"])
def test_looks_like_no_secret(path: str) -> None:
    assert not looks_secret(path)
