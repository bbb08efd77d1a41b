"""The product's real processes for tests: a web process with a short lease, and worker daemons that are killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from django.conf import settings
from django.db import connection

from codetether import env
from tests.fakes.control_plane import TOKEN
from tests.fakes.machine import Machine
from tests.fakes.worker_process import WorkerProcess

START_SECONDS = 100.0
PATIENCE = 20.0
LEASE_SECONDS = 2
DATABASE = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}"
Json = dict[str, Any]


def until[T](found: Callable[[], T], what: str, *, seconds: float = PATIENCE) -> T:
    """The first truthy answer of `found`; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
    return answer


class Plant:
    """A web process on the tests' database, with short leases, and the workers that it was given."""

    def __init__(
        self, home: Path, *, lease_seconds: int = LEASE_SECONDS, database: str = "", host: str = "127.0.0.1",
        **variables: str,
    ) -> None:  # fmt: skip
        """`database` is the URL of another database than the tests'; `variables` are more of the environment.

        `host` is the address that is listened on, by which 127.0.0.1 has to be reached, too.
        """
        self.home = home
        self.lease_seconds = lease_seconds
        self.database = database or DATABASE.format(**connection.settings_dict)
        self.variables = variables
        self._stack = ExitStack()
        self._listener = socket.create_server((host, 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=httpx.Timeout(START_SECONDS)
        )

    def __enter__(self) -> Self:
        self._web = self._start_web()
        until(self._answers, "the web process answers", seconds=START_SECONDS)
        return self

    def __exit__(self, *failure: Any) -> None:
        self._stack.close()
        self.http.close()
        self._web.send_signal(signal.SIGTERM)
        self._web.wait(PATIENCE)
        self._listener.close()
        for log in sorted(self.home.glob("**/*.log")):
            sys.stderr.write(f"--- {log.name} of {log.parent.name}\n{log.read_text()}")  # pytest shows it on failure

    def kill(self) -> None:
        """What the kernel's OOM killer does. Who connects now waits for `restart`."""
        self._web.kill()
        self._web.wait(PATIENCE)

    def restart(self) -> None:
        """A new web process at the same address."""
        self._web = self._start_web()
        until(self._answers, "the web process answers again", seconds=START_SECONDS)

    def environment(self) -> dict[str, str]:
        """What the product's processes on this database are told."""
        return {
            "DATABASE_URL": self.database,
            "A2A_REDIS_URL": settings.REDIS_URL,
            "DJANGO_SETTINGS_MODULE": "codetether.settings.base",
            "CODETETHER_LEASE_SECONDS": str(self.lease_seconds),
            "CODETETHER_DATA_DIR": str(self.home / "data"),
            "A2A_AUTH_TOKENS": f"ci:{TOKEN}",
            "A2A_RATE_LIMIT_ANONYMOUS": "",  # all tests come from one address
            **self.variables,
        }

    def _start_web(self) -> subprocess.Popen[bytes]:
        gate, ours = os.pipe()
        os.close(ours)
        (self.home / "data" / "static").mkdir(parents=True, exist_ok=True)
        with (self.home / "web.log").open("ab") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", "codetether.web", f"--fd={self._listener.fileno()}", f"--gate-fd={gate}"],
                env=env.inherited(**self.environment()),
                pass_fds=(self._listener.fileno(), gate),
                stderr=log,
            )
        os.close(gate)
        return started

    def _answers(self) -> bool:
        return self.http.get("/health").status_code == 200

    def worker(
        self, name: str, *arguments: str, agent: Path | None = None, conformance: bool = False,
        machine: Machine | None = None,
    ) -> WorkerProcess:  # fmt: skip
        """A running worker daemon; without `agent` it has only the built-in one, with `conformance` the kits' too."""
        home = self.home / name
        home.mkdir(exist_ok=True)
        environment = {"A2A_WORKER_NAME": name, "A2A_WORKER_ID": name, "A2A_CONFORMANCE": str(conformance).lower()}
        environment |= {"OPENCODE_BIN": str(agent)} if agent else {"PATH": os.defpath}
        url = f"http://{machine.gateway}:{self.port}" if machine else self.url
        inside = machine.pid if machine else None
        started = WorkerProcess(url, home, *arguments, environment=environment, inside=inside)
        return self._stack.enter_context(started)

    def post(self, path: str, body: object) -> Json:
        answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        said: Json = answer.json()
        return said

    def create(self, prompt: str, **more: Any) -> str:
        """A new task's id."""
        said = self.post("/v1/opencode/tasks", {"title": prompt[:80], "prompt": prompt, **more})
        return str(said["task"]["id"])

    def task(self, task_id: str) -> Json:
        said: Json = self.http.get(f"/v1/opencode/tasks/{task_id}").json()
        return said

    def text(self, task_id: str) -> str:
        """What the task's agents have said so far."""
        events = self.http.get(f"/v1/opencode/tasks/{task_id}/events").json()["events"]
        return "".join(event["data"]["content"] for event in events if event["kind"] == "output")

    def ended(self, task_id: str, *, seconds: float = PATIENCE) -> Json:
        """The task, once it has ended; the reaper runs meanwhile, as Celery's beat has it run."""

        def look() -> Json | None:
            self.post("/v1/opencode/tasks/stuck/recover", {})
            task = self.task(task_id)
            return task if task["completed_at"] else None

        task = until(look, f"task {task_id} ends", seconds=seconds)
        assert task is not None
        return task

    @contextmanager
    def events(self, codebase_id: str) -> Iterator[Iterator[tuple[str, Json]]]:
        """The codebase's event stream as (event, data)."""
        with self.http.stream("GET", f"/v1/opencode/codebases/{codebase_id}/events") as answer:
            assert answer.status_code == 200
            yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[tuple[str, Json]]:
    name = ""
    for line in answer.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)
