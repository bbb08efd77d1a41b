"""What `codetether-worker --check` says about a machine, a server and its agents, and that it changes nothing."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import threading
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from codetether_worker.checks.agents import check_agents
from codetether_worker.checks.findings import Finding, Level, as_table, fail, ok, warn
from codetether_worker.checks.machine import check_codebases, check_state
from codetether_worker.checks.server import check_server
from codetether_worker.cli import build_parser, main
from codetether_worker.config import Config, load_config

WORKER = {"name": "ada-laptop", "role": "worker", "scopes": ["worker"]}
DiskUsage = namedtuple("DiskUsage", "total used free")
GIT = shutil.which("git")


def config(*flags: str, **environment: str) -> Config:
    settings = {"HOME": "/home/ada", "PATH": os.environ["PATH"], **environment}
    return load_config(build_parser().parse_args(flags), settings, missing_allowed=True)


def server_says(me: dict[str, Any] | int = WORKER, *, ahead: float = 0, token: str | None = "ct_1") -> list[Finding]:
    """What is found at a server that answers so; its clock is `ahead` seconds of ours."""

    def answer(request: httpx.Request) -> httpx.Response:
        headers = {"Date": format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)}
        if request.url.path == "/health":
            return httpx.Response(200, headers=headers, json={"status": "healthy", "version": "0.1.0"})
        assert request.headers.get("Authorization") == (f"Bearer {token}" if token else None)
        return httpx.Response(me) if isinstance(me, int) else httpx.Response(200, json=me)

    given = {"A2A_TOKEN": token} if token else {}
    return check_server(config("--server", "http://plane:1", **given), httpx.MockTransport(answer))


def told(findings: list[Finding]) -> dict[str, tuple[Level, str]]:
    return {finding.area: (finding.level, finding.text) for finding in findings}


def test_a_server_that_takes_the_token() -> None:
    assert told(server_says()) == {
        "server": (Level.OK, "http://plane:1 answers, version 0.1.0"),
        "clock": (Level.OK, "agrees with the server's"),
        "token": (Level.OK, "ada-laptop (worker) is accepted"),
    }


@pytest.mark.parametrize(
    ("me", "token", "level", "words"),
    [
        (401, "ct_1", Level.FAIL, "does not take the token"),
        (401, None, Level.FAIL, "no token is given"),
        (503, "ct_1", Level.FAIL, "HTTP 503"),
        ({"name": "eve", "role": "viewer", "scopes": ["tasks:read"]}, "ct_1", Level.FAIL, "may not do a worker's"),
        ({"name": "root", "role": "admin", "scopes": ["admin", "worker"]}, "ct_1", Level.WARN, "more than a worker"),
        ({"name": "all", "role": "admin", "scopes": ["admin", "worker"]}, None, Level.WARN, "asks nobody"),
    ],
)
def test_a_token_that_does_not_fit(me: dict[str, Any] | int, token: str | None, level: Level, words: str) -> None:
    found = server_says(me, token=token)[-1]
    assert (found.area, found.level) == ("token", level)
    assert words in found.text
    assert found.mend
    assert "ct_1" not in f"{found}"


@pytest.mark.parametrize(("ahead", "words"), [(-90, "s ahead of the server's"), (90, "s behind the server's")])
def test_a_clock_that_is_wrong(ahead: float, words: str) -> None:
    level, text = told(server_says(ahead=ahead))["clock"]
    assert (level, words in text) == (Level.WARN, True)


def test_a_server_that_is_not_there() -> None:
    (found,) = check_server(config("--server", "http://127.0.0.1:9"))
    assert (found.area, found.level) == ("server", Level.FAIL)


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>"), httpx.Response(404), httpx.Response(200, json=[])]
)
def test_an_address_of_something_else(answer: httpx.Response) -> None:
    (found,) = check_server(config("--server", "http://shop:1"), httpx.MockTransport(lambda _: answer))
    assert (found.level, "not like a CodeTether server" in found.text) == (Level.FAIL, True)


def test_a_certificate_that_is_not_trusted() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")

    (found,) = check_server(config("--server", "https://plane"), httpx.MockTransport(refuse))
    assert "SSL_CERT_FILE" in found.mend


def test_a_state_folder_is_judged_without_making_it(tmp_path: Path) -> None:
    found = told(check_state(config("--state-dir", str(tmp_path / "new/state"))))
    assert found["state folder"] == (Level.OK, f"{tmp_path}/new/state can be made")
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = check_state(config("--state-dir", str(tmp_path / "file/state")))
    assert (found.area, found.level) == ("state folder", Level.FAIL)


@pytest.mark.parametrize(("free", "level"), [(50 << 20, Level.FAIL), (500 << 20, Level.WARN), (5 << 30, Level.OK)])
def test_disk_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, level: Level) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: DiskUsage(free, 0, free))
    assert told(check_state(config("--state-dir", str(tmp_path))))["disk"][0] is level


def codebase(path: Path, git: str | None = GIT) -> Finding:
    (found,) = check_codebases(config("--codebase", f"shop:{path}"), git=git)
    assert found.area == "codebase shop"
    return found


def test_a_clean_repository(shop: Path) -> None:
    assert codebase(shop) == ok("codebase shop", f"{shop}: readable, writable, a clean git repository")


def test_a_repository_with_changes(shop: Path) -> None:
    (shop / "new.py").touch()
    assert "1 uncommitted change" in codebase(shop).text


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    found = codebase(tmp_path / "gone")
    assert (found.level, "not a folder" in found.text) == (Level.FAIL, True)


def test_a_folder_without_git_and_a_machine_without_git(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert codebase(tmp_path / "plain").mend == f"git init {tmp_path}/plain"
    assert codebase(tmp_path / "plain", git=None).mend == "install git"


def test_a_folder_that_may_not_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "access", lambda _, right: not right & os.W_OK)
    found = codebase(tmp_path)
    assert (found.level, "cannot be written" in found.text) == (Level.FAIL, True)


def test_a_repository_of_somebody_else(tmp_path: Path) -> None:
    git = program(tmp_path / "git", 'echo "fatal: detected dubious ownership in repository" >&2; exit 128')
    found = codebase(tmp_path, git=str(git))
    assert (found.level, f"safe.directory {tmp_path}" in found.mend) == (Level.FAIL, True)


def test_a_repository_cannot_have_a_program_run_by_being_looked_at(shop: Path, tmp_path: Path) -> None:
    spy = program(tmp_path / "spy", f"touch {shlex.quote(str(tmp_path))}/ran")
    subprocess.run(["git", "-C", str(shop), "config", "core.fsmonitor", str(spy)], check=True)
    assert codebase(shop).level is Level.OK
    assert not (tmp_path / "ran").exists()


def test_no_codebase_at_all() -> None:
    (found,) = check_codebases(config(), git=GIT)
    assert (found.area, found.level) == ("codebases", Level.WARN)


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def agent(tmp_path: Path, script: str) -> Finding:
    """What is found about an `opencode` that does this."""
    path = program(tmp_path / "bin/opencode", script)
    nothing_else = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    (found,) = await check_agents(config(OPENCODE_BIN=str(path), **nothing_else))
    return found


@pytest.mark.asyncio
async def test_an_agent_with_credentials(tmp_path: Path) -> None:
    found = await agent(tmp_path, '[ "$1" = models ] && echo anthropic/claude-x || echo 1.18.33')
    text = f"1.18.33 at {tmp_path}/bin/opencode, credentials for 1 model"
    assert found == ok("agent opencode", text)


@pytest.mark.asyncio
async def test_an_agent_without_credentials(tmp_path: Path) -> None:
    found = await agent(tmp_path, '[ "$1" = models ] || echo 1.18.33')
    assert (found.level, "without credentials" in found.text) == (Level.WARN, True)


@pytest.mark.asyncio
async def test_an_agent_that_does_not_start(tmp_path: Path) -> None:
    found = await agent(tmp_path, "exit 3")
    assert (found.level, "does not start" in found.text) == (Level.FAIL, True)


@pytest.mark.asyncio
async def test_no_agent_and_an_agent_that_is_named_wrongly() -> None:
    (none,) = await check_agents(config(PATH="/nowhere"))
    (wrong,) = await check_agents(config(PATH="/nowhere", OPENCODE_BIN="/no/opencode"))
    assert (none.level, wrong.level) == (Level.WARN, Level.FAIL)


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path, *flags: str
) -> tuple[int, str]:
    for name, value in (("HOME", str(home)), ("PATH", "/nowhere"), ("A2A_TOKEN", "ct_1")):
        monkeypatch.setenv(name, value)
    return main(["--check", *flags]), capsys.readouterr().out


Capture, Patch = pytest.CaptureFixture[str], pytest.MonkeyPatch


def test_the_command_fails_where_something_must_be_mended(capsys: Capture, monkeypatch: Patch, tmp_path: Path) -> None:
    code, shown = run(capsys, monkeypatch, tmp_path, "--server", "http://127.0.0.1:9")
    assert code == 1
    assert "fail  server" in shown
    assert "1 to mend before the worker can work" in shown
    assert list(tmp_path.iterdir()) == []


def test_for_programs_it_is_json(capsys: Capture, monkeypatch: Patch, tmp_path: Path) -> None:
    code, shown = run(capsys, monkeypatch, tmp_path, "--json", "--concurrency", "0")
    body = json.loads(shown)
    assert (code, body["ok"], body["checks"][0]["area"], body["checks"][0]["level"]) == (1, False, "settings", "fail")
    assert "--concurrency" in body["checks"][0]["text"]


def test_a_key_of_the_file_that_is_no_option_is_named(capsys: Capture, monkeypatch: Patch, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"concurency": 3, "worker_name": "ada", "colour": "red"}')
    _, shown = run(capsys, monkeypatch, tmp_path, "--json", "--config", str(tmp_path / "config.json"))
    found = [one for one in json.loads(shown)["checks"] if one["area"] == "settings"]
    assert [one["level"] for one in found] == ["warn", "warn"]
    assert found[0]["text"].startswith('"concurency" in the config file')
    assert found[0]["mend"] == 'call it "concurrency"'
    assert found[1]["mend"].startswith("remove it")


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([ok("a", "fine")], "Ready to work."),
        ([ok("a", "fine"), warn("b", "so so", "do")], "Ready to work, 1 to look at."),
        ([warn("b", "so so", "do"), fail("c", "bad", "do")], "1 to mend before the worker can work, 1 to look at."),
    ],
)
def test_the_table_ends_with_a_verdict(findings: list[Finding], verdict: str) -> None:
    assert as_table(findings).splitlines()[-1] == verdict


class Plane(BaseHTTPRequestHandler):
    """As much of a server as a check asks for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"version": "0.1.0"} if self.path == "/health" else WORKER).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def test_the_command_passes_where_a_worker_would_work(capsys: Capture, monkeypatch: Patch, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Plane) as plane:
        threading.Thread(target=plane.serve_forever, args=(0.02,), daemon=True).start()
        code, shown = run(capsys, monkeypatch, tmp_path, "--server", f"http://127.0.0.1:{plane.server_port}")
        plane.shutdown()
    assert (code, "ok    token" in shown) == (0, True)
