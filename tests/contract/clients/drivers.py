"""The official clients as programs of their own: each is told what to do by lines of JSON, and tells what it saw.

The programs are in tests/clients; deploy/dev/python-env.sh installs what they need.
"""

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[3]
PROGRAMS = ROOT / "tests" / "clients"
PATIENCE = 20.0
Json = dict[str, Any]

COMMANDS: dict[str, list[str]] = {
    "python-1.3.0": [sys.executable, str(PROGRAMS / "python" / "v1.py")],
    "python-0.3.26": [str(ROOT / ".venv-a2a-0-3" / "bin" / "python"), str(PROGRAMS / "python" / "v03.py")],
    "js-1.3.0": ["node", str(PROGRAMS / "js" / "v1" / "client.mjs")],
    "js-0.3.14": ["node", str(PROGRAMS / "js" / "v03" / "client.mjs")],
}
"""How each client is started; its name says the package's version."""


class ClientError(Exception):
    """What a client raised; `text` is its type, code and message."""

    def __init__(self, error: Json) -> None:
        self.text = f"{error['type']} {error['code']} {error['message']}"
        super().__init__(self.text)


class Pending:
    """A command that was given. Its answer is waited for, or its events read as they come."""

    def __init__(self, driver: "Driver", number: int) -> None:
        self._driver = driver
        self._number = number
        self.lines: queue.Queue[Json] = queue.Queue()

    def events(self) -> Iterator[Json]:
        """Each event of a stream as it comes; ends with the stream."""
        while "event" in (line := self._next()):
            yield line["event"]

    def result(self) -> Any:
        """What the client gave; ClientError with what it raised."""
        while "event" in (line := self._next()):
            pass
        return line["result"]

    def stop(self) -> None:
        """Hang up."""
        self._driver.say(id=self._number, op="stop")

    def _next(self) -> Json:
        line = self.lines.get(timeout=PATIENCE)
        if "error" in line:
            raise ClientError(line["error"])
        return line


class Driver:
    """One running client program."""

    def __init__(self, name: str, base_url: str, token: str) -> None:
        self._numbers = itertools.count(1)
        self._pending: dict[int, Pending] = {}
        command = [*COMMANDS[name], base_url, token]
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "OTEL_INSTRUMENTATION_A2A_SDK_ENABLED": "0"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def do(self, op: str, params: Json, *, binding: str, version: str) -> Pending:
        number = next(self._numbers)
        pending = self._pending[number] = Pending(self, number)
        self.say(id=number, op=op, binding=binding, version=version, params=params)
        return pending

    def say(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            self._pending[told["id"]].lines.put(told)


def install_clients() -> None:
    """Make the clients' environments, where they are not yet; parallel test processes take turns."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "clients.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        subprocess.run([ROOT / "deploy/dev/python-env.sh", "test-clients"], check=True, timeout=300)
