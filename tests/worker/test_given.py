"""What the server gives for an agent's environment reaches the agent, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from pathlib import Path
from urllib.parse import quote

import pytest

from codetether_sessions.redaction import Redactor
from codetether_worker import events
from codetether_worker.given import Given
from codetether_worker.logs import hide_in_logs, set_up_logging
from codetether_worker.outbox import Outbox
from codetether_worker.protocol import Claim, Outcome
from tests.fakes.control_plane import FakeControlPlane
from tests.worker.conftest import StartWorker

SECRET = "correct horse\\battery+staple"


def test_the_agent_gets_it_and_nobody_is_told(server: FakeControlPlane, start_worker: StartWorker, shop: Path) -> None:
    worker = start_worker("--codebases", str(shop))
    given = {"environment": {"STORE_URL": SECRET, "LOG_LEVEL": "debug", "HOME": "/evil"}, "secrets": ["STORE_URL"]}
    told = server.wait_ended(server.add_codebase_task("tell STORE_URL", str(shop), **given))
    assert told.text == f"STORE_URL=*** {hashlib.sha256(SECRET.encode()).hexdigest()}"
    assert told.release["result"] == told.text
    failed = server.wait_ended(server.add_codebase_task(f"fail for {SECRET}", str(shop), **given))
    assert "***" in failed.release["error"]
    plain = server.wait_ended(server.add_codebase_task("tell LOG_LEVEL", str(shop), **given))
    assert plain.text.startswith("LOG_LEVEL=debug ")
    after = server.wait_ended(server.add_codebase_task("tell LOG_LEVEL", str(shop)))
    assert after.text.startswith("LOG_LEVEL= ")
    everything = [worker.log, *(str(task.log) for task in server.tasks.values())]
    everything += [path.read_text(errors="replace") for path in worker.state_dir.rglob("*") if path.is_file()]
    assert not any(SECRET in text or json.dumps(SECRET)[1:-1] in text for text in everything)
    assert "HOME" in worker.log


def test_claims_of_before_bring_nothing() -> None:
    assert Claim.parse({"id": "t", "claim_token": "c"}).given == Given()


@pytest.mark.parametrize("said", [None, [], "x", {"A": 1}, {"A": "with\0nul"}, {"PATH": "/evil"}, {"a2a_token": "x"}])
def test_what_no_environment_may_hold_is_left_out(said: object) -> None:
    assert Given.parse({"environment": said}).variables == {}


def test_all_are_secret_where_nothing_is_said_of_that() -> None:
    given = Given.parse({"environment": {"KEY": SECRET}})
    assert given.secrets == (SECRET,)
    assert SECRET not in repr(given)


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        json.dumps({"key": SECRET}),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"me:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"admin:{SECRET}:x".encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_spelled(spelled: str) -> None:
    redactor = Redactor({})
    redactor.learn([SECRET])
    hidden = redactor.text(f"It is {spelled}.")
    assert "***" in hidden
    assert "horse" not in hidden
    assert base64.b64encode(b"horse").decode()[:5] not in hidden


def test_each_line_of_a_secret_is_hidden() -> None:
    redactor = Redactor({})
    redactor.learn(["first-line\nsecond-line\n"])
    assert redactor.text("- first-line\n- second-line") == "- ***\n- ***"


@pytest.mark.parametrize("at", range(1, len("correct-horse")))
@pytest.mark.asyncio
async def test_a_secret_in_two_outputs_is_recognised(tmp_path: Path, at: int) -> None:
    redactor = Redactor({})
    redactor.learn(["correct-horse"])
    claim = Outbox(tmp_path, redactor.value, redactor.unfinished).open("task-1", "token-1")
    claim.append(events.output("text", f"It is {'correct-horse'[:at]}"))
    claim.append(events.output("text", f"{'correct-horse'[at:]}, c"))
    claim.append(events.output("reasoning", "hmm"))
    claim.finish(Outcome("completed"))
    await claim.flush()
    lines = [json.loads(line) for line in claim.path.read_text().splitlines()]
    said = [line["data"]["content"] for line in lines if line.get("kind") == "output"]
    assert "".join(said) == "It is ***, chmm"
    assert [line["seq"] for line in lines if "seq" in line] == list(range(1, len(said) + 1))


@pytest.mark.asyncio
async def test_what_waited_is_told_before_the_end(tmp_path: Path) -> None:
    redactor = Redactor({})
    redactor.learn(["correct-horse"])
    claim = Outbox(tmp_path, redactor.value, redactor.unfinished).open("task-1", "token-1")
    claim.append(events.output("text", "That is correct"))
    claim.finish(Outcome("completed"))
    await claim.flush()
    said = [json.loads(line).get("data", {}).get("content") for line in claim.path.read_text().splitlines()]
    assert said == [None, "That is ", "correct", None]


def test_log_lines_are_clean_with_their_errors(capsys: pytest.CaptureFixture[str]) -> None:
    root, level = logging.getLogger(), logging.getLogger("codetether_worker").level
    handlers, root_level = list(root.handlers), root.level
    redactor = Redactor({})
    try:
        set_up_logging("INFO")
        hide_in_logs(redactor.text)
        redactor.learn([SECRET])
        try:
            raise ValueError(f"cannot reach {SECRET}")
        except ValueError:
            logging.getLogger("codetether_worker.x").exception("it broke: %s", SECRET)
    finally:
        root.handlers[:] = handlers
        root.setLevel(root_level)
        logging.getLogger("codetether_worker").setLevel(level)
    written = capsys.readouterr().err
    assert "ValueError: cannot reach ***" in written
    assert SECRET not in written
