"""Two workers on two machines, each with its own address, home and repository: who gets what, what a cut line costs.

The machines are network namespaces (tests/fakes/machine.py); the server listens on this machine's addresses.
"""

import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.clients.site import own_database
from tests.e2e.plant import Json, Plant, until
from tests.fakes import acp_agent
from tests.fakes.machine import Machine, need_machines
from tests.fakes.worker_process import WorkerProcess
from tests.worker.conftest import make_repository

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.django_db]

LEASE_SECONDS = 6
SHORT_OUTAGE_SECONDS = 1.5
USUAL_LEASE_SECONDS = 60
WHOLE_MINUTE = 60.0
ENDINGS = ("completed", "failed", "cancelled", "rejected")


class Site:
    """The server, and Ada's and Bob's machines with a worker on each."""

    def __init__(self, plant: Plant, machines: dict[str, Machine]) -> None:
        self.plant = plant
        self.machines = machines
        self.shops = {name: make_repository(plant.home / name / "shop") for name in machines}
        self.workers = {
            "ada": self._worker("ada", role="painter", model="paint/oil"),
            "bob": self._worker("bob", role="reviewer", model="local/llama", conformance=True),
        }
        until(lambda: len(self._codebases()) == len(machines), "both have told of their repositories")
        self.codebases = {one["worker_id"]: str(one["id"]) for one in self._codebases()}

    def _worker(self, name: str, *, role: str, model: str, conformance: bool = False) -> WorkerProcess:
        home = self.plant.home / name
        options = ("--codebase", f"shop:{self.shops[name]}", "--agent-name", role)
        agent = scripted_agent(home / "opencode", model)
        return self.plant.worker(name, *options, agent=agent, conformance=conformance, machine=self.machines[name])

    def _codebases(self) -> list[Json]:
        said: Json = self.plant.http.get("/v1/opencode/codebases").json()
        return [one for one in said["codebases"] if one["status"] == "active"]

    def connected(self) -> dict[str, Json]:
        said = self.plant.http.get("/v1/worker/connected").json()
        return {one["worker_id"]: one for one in said["workers"]}

    def log_of(self, task_id: str) -> list[Json]:
        """All that was written about the task, whose numbers leave no gap."""
        said = self.plant.http.get(f"/v1/opencode/tasks/{task_id}/events", params={"limit": 10_000}).json()
        events: list[Json] = said["events"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return events


def scripted_agent(program: Path, model: str) -> Path:
    """tests/fakes/acp_agent.py as an `opencode` that offers `model`."""
    script = shlex.quote(str(Path(acp_agent.__file__)))
    program.write_text(f'#!/bin/sh\nSCRIPTED_MODEL={model} exec {shlex.quote(sys.executable)} -I -S {script} "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def machines() -> Iterator[dict[str, Machine]]:
    need_machines()
    with ExitStack() as stack:
        yield {name: stack.enter_context(Machine(name, number)) for number, name in enumerate(("ada", "bob"))}


@contextmanager
def opened(machines: dict[str, Machine], blocker: Any, home: Path, lease_seconds: int) -> Iterator[Site]:
    with own_database(f"machines_{os.getpid()}_{lease_seconds}", blocker) as database:
        for name in machines:
            (home / name).mkdir()
        with Plant(
            home, lease_seconds=lease_seconds, database=database, host="0.0.0.0", A2A_CONFORMANCE="true"
        ) as plant:
            yield Site(plant, machines)


@pytest.fixture(scope="module")
def site(
    machines: dict[str, Machine],
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    with opened(machines, django_db_blocker, tmp_path_factory.mktemp("site"), LEASE_SECONDS) as one:
        yield one


def counted(events: list[Json], attempt: int) -> list[int]:
    """What the counting agent of an attempt was heard to say."""
    begun, text = 0, ""
    for event in events:
        begun += event["kind"] == "claimed"
        if event["kind"] == "output" and begun == attempt:
            text += event["data"]["content"]
    return [int(word) for word in text.split()]


def assert_told_once(events: list[Json], attempt: int) -> None:
    """The attempt counted from 0 without a gap, nothing twice, and the task has one ending."""
    numbers = counted(events, attempt)
    assert numbers == list(range(len(numbers)))
    assert [event["kind"] for event in events if event["kind"] in ENDINGS] == ["completed"]


def outbox(worker: WorkerProcess) -> list[Path]:
    return list((worker.state_dir / "outbox").iterdir())


def test_each_worker_has_an_address_and_a_name_of_its_own(site: Site) -> None:
    connected = site.connected()
    assert {name: one["hostname"] for name, one in connected.items()} == {"ada": "ada", "bob": "bob"}
    assert site.machines["ada"].address != site.machines["bob"].address
    for name, machine in site.machines.items():
        assert f"server=http://{machine.gateway}:{site.plant.port}" in site.workers[name].log


def test_tasks_go_where_their_codebase_model_role_and_capabilities_are(site: Site) -> None:
    here: dict[str, Json] = {name: {"codebase_id": codebase_id} for name, codebase_id in site.codebases.items()}
    wanted: list[tuple[str, Json]] = [
        *(("ada", wish) for wish in (here["ada"], {"model": "paint/oil"}, {"target_agent": "painter"})),
        *(("bob", wish) for wish in (here["bob"], {"model": "local/llama"}, {"target_agent": "reviewer"})),
        ("bob", {"requires": ["conformance"]}),
    ]
    made = [(name, site.plant.create(f"write {number}.txt paid", **wish)) for number, (name, wish) in enumerate(wanted)]
    for name, task_id in made:
        done = site.plant.ended(task_id)
        assert (done["status"], done["worker_id"], done["attempt"]) == ("completed", name, 1), done
    assert (site.shops["ada"] / "0.txt").read_text() == "paid"
    assert (site.shops["bob"] / "3.txt").read_text() == "paid"
    assert not (site.shops["bob"] / "0.txt").exists()


def test_a_task_that_fits_nobody_waits_and_says_why(site: Site) -> None:
    task_id = site.plant.create("echo hi", model="paint/oil", target_agent="reviewer")
    facts = site.plant.task(task_id)
    assert (facts["status"], facts["why_pending"]) == (
        "pending",
        "no worker with a global codebase and the agent reviewer runs the model paint/oil",
    )
    site.plant.post(f"/v1/opencode/tasks/{task_id}/cancel", {})


def test_an_outage_shorter_than_the_lease_costs_nothing(site: Site, tmp_path: Path) -> None:
    plant, line = site.plant, site.machines["ada"]
    task_id = plant.create(f"count {tmp_path}/enough", codebase_id=site.codebases["ada"])
    until(lambda: plant.text(task_id), "ada's agent has begun")
    line.cut()
    before = plant.text(task_id)
    time.sleep(SHORT_OUTAGE_SECONDS)
    after = plant.text(task_id)
    line.mend()
    until(lambda: len(plant.text(task_id)) > len(after), "ada is heard again")
    (tmp_path / "enough").touch()
    done = plant.ended(task_id)
    assert (done["status"], done["worker_id"], done["attempt"]) == ("completed", "ada", 1)
    assert_told_once(site.log_of(task_id), attempt=1)
    assert done["result"].split() == plant.text(task_id).split()
    assert len(done["result"]) - len(after) > 5 * (len(after) - len(before)), "the line was not cut"


def test_an_outage_longer_than_the_lease_gives_the_task_to_the_other(site: Site, tmp_path: Path) -> None:
    plant = site.plant
    task_id = plant.create(f"count {tmp_path}/enough")
    until(lambda: plant.text(task_id), "an agent has begun")
    first = str(plant.task(task_id)["worker_id"])
    (second,) = site.machines.keys() - {first}
    site.machines[first].cut()
    rescued_by(site, task_id, second)
    (tmp_path / "enough").touch()
    done = plant.ended(task_id)
    assert (done["status"], done["worker_id"], done["attempt"]) == ("completed", second, 2)
    events = site.log_of(task_id)
    assert_told_once(events, attempt=2)
    until(lambda: "stopping task" in site.workers[first].log, "the first stops by itself when its lease has run out")
    site.machines[first].mend()
    until(lambda: not outbox(site.workers[first]), "the first hears that it is too late, and drops what it owed")
    assert site.log_of(task_id) == events
    again = plant.create("echo back", codebase_id=site.codebases[first])
    assert plant.ended(again)["status"] == "completed"


def rescued_by(site: Site, task_id: str, worker_id: str, *, seconds: float = 3.0 * LEASE_SECONDS) -> None:
    """Wait until the task is with another worker, whose agent has begun; the reaper runs meanwhile."""

    def is_there() -> bool:
        site.plant.post("/v1/opencode/tasks/stuck/recover", {})
        return site.plant.task(task_id)["worker_id"] == worker_id and bool(counted(site.log_of(task_id), attempt=2))

    until(is_there, f"{worker_id} takes over", seconds=seconds)


@pytest.fixture(scope="module")
def usual_site(
    machines: dict[str, Machine],
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    with opened(machines, django_db_blocker, tmp_path_factory.mktemp("usual"), USUAL_LEASE_SECONDS) as one:
        yield one


@pytest.mark.minutes
def test_a_whole_minute_without_network_at_the_usual_lease(usual_site: Site, tmp_path: Path) -> None:
    """One task can be taken over by the other machine, one only lives on the one that is cut off."""
    site, plant = usual_site, usual_site.plant
    free = plant.create(f"count {tmp_path}/enough")
    until(lambda: plant.text(free), "an agent has begun")
    cut_off = str(plant.task(free)["worker_id"])
    (other,) = site.machines.keys() - {cut_off}
    bound = plant.create(f"count {tmp_path}/enough", codebase_id=site.codebases[cut_off])
    until(lambda: plant.text(bound), "the other agent has begun")
    began = time.monotonic()
    site.machines[cut_off].cut()
    rescued_by(site, free, other, seconds=USUAL_LEASE_SECONDS + LEASE_SECONDS)
    time.sleep(max(0.0, began + WHOLE_MINUTE - time.monotonic()))
    site.machines[cut_off].mend()
    mended = time.monotonic()
    until(lambda: counted(site.log_of(bound), attempt=2), "it goes on where it is alone", seconds=WHOLE_MINUTE)
    print(f"the task that had to wait for the line goes on {time.monotonic() - mended:.1f} s after its return")
    (tmp_path / "enough").touch()
    for task_id, worker_id in ((free, other), (bound, cut_off)):
        done = plant.ended(task_id)
        assert (done["status"], done["worker_id"], done["attempt"]) == ("completed", worker_id, 2)
        assert_told_once(site.log_of(task_id), attempt=2)
    until(lambda: not outbox(site.workers[cut_off]), "what came too late is dropped")
