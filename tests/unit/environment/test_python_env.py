"""deploy/dev/python-env.sh on machines of every kind: fake interpreters, a fake uv, and a PATH of our own."""

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SCRIPT = Path("deploy/dev/python-env.sh")
TOOLS = ["bash", "sh", "env", "sort", "sed", "tr", "sha256sum", "cut", "cat", "dirname", "id", "rm", "mkdir"]
TOOLS += ["chmod", "printf", "grep"]

FITTING = '#!/bin/sh\n[ "$2 $3 $4" != "pip config list" ] || echo "$PIP_SAYS"\nexit 0\n'
TOO_OLD = "#!/bin/sh\nexit 1\n"
SHIM = '#!/bin/sh\necho "pyenv: python3.13: command not found" >&2\nexit 127\n'
UV = """#!/bin/sh
case "$1 $2" in
    "--version "*) ;;
    "python find") exit 2 ;;
    "venv "*)
        for folder; do :; done
        mkdir -p "$folder/bin"
        printf '#!/bin/sh\\nexit 0\\n' >"$folder/bin/python"; chmod +x "$folder/bin/python" ;;
    *) env | grep '^UV_\\|^SSL_CERT' | sort >>"$UV_DIARY"; echo "$@" >>"$UV_DIARY" ;;
esac
"""


class Machine:
    """A clone on a machine that has nothing but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "clone"
        self.bin = folder / "bin"
        self.pyenv = folder / "pyenv"
        self.diary_file = folder / "diary"
        for path in (self.root / "requirements", self.root / "worker", self.root / SCRIPT.parent, self.bin):
            path.mkdir(parents=True)
        shutil.copy(REPOSITORY / SCRIPT, self.root / SCRIPT)
        for name in ("pyproject.toml", "worker/pyproject.toml", "requirements/base.txt"):
            (self.root / name).write_text(f"# {name}\n")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)

    def program(self, path: str | Path, script: str) -> Path:
        place = self.bin / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(script)
        place.chmod(0o755)
        return place

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": str(self.bin),
            "HOME": str(self.root),
            "PYENV_ROOT": str(self.pyenv),
            "UV_DIARY": str(self.diary_file),
            **variables,
        }
        command = [str(self.bin / "bash"), str(self.root / SCRIPT), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def found(self, **variables: str) -> str:
        answer = self.run("find-python", **variables)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    def diary(self) -> list[str]:
        return self.diary_file.read_text().splitlines() if self.diary_file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def assert_one_line(answer: subprocess.CompletedProcess[str], words: str) -> None:
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert words in answer.stderr


def test_the_named_interpreter_wins(machine: Machine) -> None:
    machine.program("python3.13", FITTING)
    mine = machine.program("mine", FITTING)
    assert machine.found(PYTHON="mine") == str(mine)


def test_a_named_interpreter_that_does_not_fit_is_not_replaced(machine: Machine) -> None:
    machine.program("python3.13", FITTING)
    machine.program("old", TOO_OLD)
    assert_one_line(machine.run("find-python", PYTHON="old"), "PYTHON=old is not a working Python 3.12")


def test_pyenv_versions_are_found_behind_failing_shims(machine: Machine) -> None:
    machine.program("python3.13", SHIM)
    machine.program("python3", SHIM)
    hidden = machine.program(machine.pyenv / "versions/3.13.0/bin/python3", FITTING)
    assert machine.found() == str(hidden)


def test_the_newest_patch_of_the_tested_series_is_taken(machine: Machine) -> None:
    for version in ("3.14.1", "3.13.2", "3.13.10", "3.12.9"):
        machine.program(machine.pyenv / f"versions/{version}/bin/python3", FITTING)
    assert machine.found() == str(machine.pyenv / "versions/3.13.10/bin/python3")


def test_broken_interpreters_are_passed_over(machine: Machine) -> None:
    machine.program(machine.pyenv / "versions/3.13.0/bin/python3", TOO_OLD)
    machine.program("python3.13", TOO_OLD)
    good = machine.program("python3.12", FITTING)
    assert machine.found() == str(good)


def test_a_plain_python3_may_be_new_enough(machine: Machine) -> None:
    plain = machine.program("python3", FITTING)
    assert machine.found() == str(plain)


def test_no_interpreter_is_one_line(machine: Machine) -> None:
    machine.program("python3", TOO_OLD)
    machine.program("uv", UV)
    assert_one_line(machine.run("find-python"), "No Python 3.12 or newer was found")


def test_neither_interpreter_nor_uv_is_one_line(machine: Machine) -> None:
    assert_one_line(machine.run("sync", "base"), "No Python 3.12 or newer was found")


def test_the_first_sync_installs_by_hash(machine: Machine) -> None:
    machine.program("python3.13", FITTING)
    machine.program("uv", UV)
    answer = machine.run("sync", "base")
    assert answer.returncode == 0, answer.stderr
    packages, project = (line for line in machine.diary() if line.startswith("pip install"))
    assert "--require-hashes" in packages
    assert f"-r {machine.root}/requirements/base.txt" in packages
    assert project.endswith(f"--no-deps -e {machine.root}/worker -e {machine.root}")


def test_the_second_sync_does_nothing(machine: Machine) -> None:
    machine.program("python3.13", FITTING)
    machine.program("uv", UV)
    machine.run("sync", "base")
    machine.diary_file.unlink()
    answer = machine.run("sync", "base")
    assert (answer.returncode, answer.stderr, machine.diary()) == (0, "", [])


def test_a_new_lock_is_installed(machine: Machine) -> None:
    machine.program("python3.13", FITTING)
    machine.program("uv", UV)
    machine.run("sync", "base")
    machine.diary_file.unlink()
    (machine.root / "requirements/base.txt").write_text("# newer\n")
    machine.run("sync", "base")
    assert machine.diary()


def test_pip_settings_reach_uv(machine: Machine) -> None:
    machine.program("python3", FITTING)
    machine.program("uv", UV)
    machine.run(
        "sync",
        "base",
        PIP_SAYS="global.index-url='https://index.example/simple'\nglobal.cert='/etc/own.pem'",
        PIP_FIND_LINKS="/wheels /more-wheels",
        PIP_DEFAULT_TIMEOUT="99",
    )
    diary = machine.diary()
    assert "UV_DEFAULT_INDEX=https://index.example/simple" in diary
    assert "SSL_CERT_FILE=/etc/own.pem" in diary
    assert "UV_FIND_LINKS=/wheels,/more-wheels" in diary
    assert "UV_HTTP_TIMEOUT=99" in diary


def test_uvs_own_settings_come_before_pips(machine: Machine) -> None:
    machine.program("python3", FITTING)
    machine.program("uv", UV)
    machine.run("sync", "base", PIP_INDEX_URL="https://pip.example", UV_DEFAULT_INDEX="https://uv.example")
    assert "UV_DEFAULT_INDEX=https://uv.example" in machine.diary()
