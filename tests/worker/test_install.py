"""`worker/install.sh` below another root, and the systemd unit that it writes.

Nothing is fetched: the packages that the worker needs are those of the tests' own environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from codetether_worker import __version__, service_unit
from tests.fakes.control_plane import TOKEN, FakeControlPlane
from tests.unit.documents import marked, rows

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "worker" / "install.sh"
WITHOUT = "CODETETHER_SKIP_SYSTEMD_TESTS"
WORST_SCORE = 4.0
FILES = {"config": "config.json", "env-file": "env"}
OFFLINE = {
    "PYTHON": sys.executable, "PYTHONPATH": sysconfig.get_path("purelib"), "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_CACHE_DIR": "1", "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def install(root: Path, *options: str, source: Path = REPOSITORY / "worker") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root.parent)} | OFFLINE
    command = [str(SCRIPT), "--root", str(root), "--from", str(source), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=250)


def installed_at(root: Path, *options: str) -> Path:
    done = install(root, *options)
    assert done.returncode == 0, done.stderr
    return root


def tree(root: Path) -> dict[str, tuple[int, str]]:
    """Every file and link below with its mode and content."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[str(path)] = (0, str(path.readlink()))
        elif path.is_file() and path.suffix != ".pyc":
            found[str(path)] = (path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that the tests leave as it is."""
    root = tmp_path_factory.mktemp("machine") / "root"
    return installed_at(root, "--server-url", "http://plane:1", "--codebases", "/srv/shop,/home/ada/my blog")


@pytest.fixture
def own(installed: Path, tmp_path: Path) -> Path:
    """A machine of the test's own that has another version installed already."""
    etc = tmp_path / "root/etc/a2a-worker"
    etc.mkdir(parents=True)
    (etc / "config.json").write_text(json.dumps({"codebases": ["/srv/shop"], "drain_grace": 600}))
    (etc / "env").write_text("A2A_TOKEN=ct_mine\n")
    return tmp_path / "root"


def unit(root: Path) -> Path:
    return root / "etc/systemd/system/a2a-agent-worker.service"


def test_the_command_that_was_installed_runs(installed: Path) -> None:
    command = [str(installed / "usr/local/bin/codetether-worker"), "--version"]
    shown = subprocess.run(command, env=OFFLINE, capture_output=True, text=True, check=True).stdout
    assert shown == f"codetether-worker {__version__}\n"


def test_the_first_settings_are_those_that_were_given(installed: Path) -> None:
    config = json.loads((installed / "etc/a2a-worker/config.json").read_text())
    assert (config["server_url"], config["codebases"]) == ("http://plane:1", ["/srv/shop", "/home/ada/my blog"])
    assert config["state_dir"] == str(service_unit.STATE_DIRECTORY / "state")


def test_what_may_hold_secrets_is_not_for_everybody(installed: Path) -> None:
    for name in ("config.json", "env"):
        assert stat.S_IMODE((installed / "etc/a2a-worker" / name).stat().st_mode) == 0o640


def test_a_second_time_changes_nothing(installed: Path) -> None:
    before = tree(installed)
    again = install(installed, "--server-url", "http://other:1", "--codebases", "/srv/other")
    assert (again.returncode, "Nothing has changed." in again.stdout) == (0, True)
    assert tree(installed) == before


def test_settings_of_a_person_are_kept_and_obeyed(own: Path) -> None:
    etc = own / "etc/a2a-worker"
    before = tree(etc)
    installed_at(own)
    assert tree(etc) == before
    assert "TimeoutStopSec=635" in (Path(f"{unit(own)}.d") / "paths.conf").read_text()


class Service:
    """The installed worker as systemd would run it: told to stop as the unit says, with all the time that it grants."""

    def __init__(self, root: Path, home: Path) -> None:
        self._command = [str(root / "usr/local/bin/codetether-worker")]
        self._command += [f"--{option}={root}/etc/a2a-worker/{file}" for option, file in FILES.items()]
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(home)} | OFFLINE
        paths = (Path(f"{unit(root)}.d") / "paths.conf").read_text()
        self._patience = int(re.findall(r"^TimeoutStopSec=(\d+)$", paths, re.M)[0])
        assert "\nKillMode=mixed\n" in unit(root).read_text()  # SIGTERM goes to the worker alone

    def __enter__(self) -> Service:
        self._process = subprocess.Popen(self._command, env=self._environment, start_new_session=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(self._patience) == 0


def newer_version(folder: Path) -> Path:
    shutil.copytree(REPOSITORY / "worker", folder, ignore=shutil.ignore_patterns(".*", "__pyc*"))
    (folder / "codetether_worker/__init__.py").write_text('"""Newer."""\n\n__version__ = "9.9.9"\n')
    return folder


def test_an_upgrade_loses_no_running_task(server: FakeControlPlane, scripted_agent: Path, tmp_path: Path) -> None:
    root, etc = tmp_path / "root", tmp_path / "root/etc/a2a-worker"
    etc.mkdir(parents=True)
    settings = {"server_url": server.url, "state_dir": f"{tmp_path}/state", "drain_grace": 0.5}
    (etc / "config.json").write_text(json.dumps(settings | {"opencode_bin": str(scripted_agent)}))
    (etc / "env").write_text(f"A2A_TOKEN={TOKEN}\n")
    installed_at(root)
    older = (root / "opt/a2a-worker/current").readlink()
    with Service(root, tmp_path):
        task = server.add_task(f"wait {tmp_path}/go")
        server.wait_for(lambda: task.text == "waiting", what="the agent has begun")
        assert install(root, source=newer_version(tmp_path / "newer")).returncode == 0
        assert older.exists()  # what runs from it may still load more of itself
    assert [(told["status"], told["error_code"]) for told in task.releases] == [("pending", "worker_draining")]
    (tmp_path / "go").touch()
    with Service(root, tmp_path):
        server.wait_ended(task)
        assert {worker["version"] for worker in server.workers.values()} == {"9.9.9"}
    assert [told["status"] for told in task.releases] == ["pending", "completed"]
    assert install(root, source=tmp_path / "newer").returncode == 0
    assert not older.exists()


def test_settings_that_cannot_be_used_are_named_and_no_service_is_started(own: Path) -> None:
    (own / "etc/a2a-worker/config.json").write_text('{"concurrency": "many"}')
    done = install(own)
    assert done.returncode == 1
    assert '"concurrency" in the config file must be a whole number' in done.stderr
    assert "To start the worker" not in done.stdout


def test_uninstall_keeps_settings_and_data_and_purge_does_not(own: Path) -> None:
    installed_at(own)
    (own / "var/lib/a2a-worker/state").mkdir(parents=True)
    kept = tree(own / "etc/a2a-worker")
    assert install(own, "--uninstall").returncode == 0
    assert tree(own) == kept
    assert (own / "var/lib/a2a-worker/state").is_dir()
    assert install(own, "--uninstall").returncode == 0
    assert install(own, "--uninstall", "--purge").returncode == 0
    assert tree(own) == {}
    assert not (own / "var/lib/a2a-worker").exists()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    done = install(tmp_path / "root", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would run: " in done.stdout
    assert f"would write: {unit(tmp_path / 'root')}" in done.stdout
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--colour", "red"], "unknown option --colour"),
        (["--user", "root"], "root is too much"),
        (["--user", "a b"], "is not a user's name"),
        (["--purge"], "--purge goes with --uninstall"),
        (["--server-url"], "--server-url needs a value"),
        (["--from", "/etc"], "/etc is not a checkout of the worker"),
    ],
)
def test_a_wrong_option_is_one_line_and_nothing_happens(tmp_path: Path, options: list[str], complaint: str) -> None:
    done = install(tmp_path / "root", *options)
    assert (done.returncode, complaint in done.stderr, done.stderr.count("\n")) == (1, True, 1)
    assert not (tmp_path / "root").exists()


def test_every_option_is_documented_and_exists() -> None:
    shown = subprocess.run([str(SCRIPT), "--help"], capture_output=True, text=True, check=True).stdout
    table = rows("operations/worker-service.md", "Option of install.sh")
    documented = {marked(row["Option of install.sh"])[0] for row in table}
    assert documented == set(re.findall(r"^  (--[a-z-]+)", shown, re.M))


@pytest.fixture
def systemd_analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None and os.environ.get(WITHOUT) == "1":
        pytest.skip(f"{WITHOUT}=1")
    assert found, f"systemd-analyze is missing: make test-deps installs it, {WITHOUT}=1 leaves this test out"
    return found


def test_the_unit_is_in_order(installed: Path, systemd_analyze: str) -> None:
    done = subprocess.run(
        [systemd_analyze, "verify", str(unit(installed))], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_service_may_do_little(installed: Path, systemd_analyze: str) -> None:
    command = [systemd_analyze, "security", "--offline=true", "--no-pager", str(unit(installed))]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (score,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", shown)
    assert float(score) < WORST_SCORE


def test_a_stop_asks_the_worker_alone(installed: Path) -> None:
    assert "\nKillMode=mixed\n" in unit(installed).read_text()


def paths_of(tmp_path: Path, home: str, *codebases: str) -> list[str]:
    (tmp_path / "config.json").write_text(json.dumps({"codebases": codebases, "state_dir": "/var/lib/a2a-worker/s"}))
    (tmp_path / "env").write_text("A2A_TOKEN=x\n")
    command = [
        sys.executable,
        "-m",
        "codetether_worker.service_unit",
        *(str(tmp_path / n) for n in ("config.json", "env")),
    ]
    return subprocess.run([*command, home], capture_output=True, text=True, check=True).stdout.splitlines()[2:]


def test_the_service_may_write_in_its_codebases_alone(tmp_path: Path) -> None:
    assert paths_of(tmp_path, "/var/lib/a2a-worker", "/srv/shop", "/srv/50% \"off\"") == [
        "TimeoutStopSec=45", 'ReadWritePaths="-/srv/shop"', 'ReadWritePaths="-/srv/50%% \\"off\\""',
    ]  # fmt: skip


def test_home_folders_are_seen_only_where_something_is_in_them(tmp_path: Path) -> None:
    assert "ProtectHome=read-only" in paths_of(tmp_path, "/var/lib/a2a-worker", "/home/ada/shop")
    assert paths_of(tmp_path, "/home/ada")[1:] == ["ProtectHome=read-only", 'ReadWritePaths="-/home/ada"']
