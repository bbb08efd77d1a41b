"""A conversation by A2A with the real OpenCode: three turns, a question answered, a file received; all faces agree.

Only the model is scripted; it answers on loopback.
"""

import base64
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from tests.e2e.plant import Json, Plant, until
from tests.factories import Cast
from tests.fakes.model_server import ModelServer, Step, call, say
from tests.fakes.opencode_program import MODEL_ID, SKIP_VARIABLE, opencode_environment
from tests.fakes.worker_process import WorkerProcess
from tests.worker.conftest import make_repository

pytestmark = [
    pytest.mark.opencode,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get(SKIP_VARIABLE) == "1", reason=f"{SKIP_VARIABLE}=1"),
    pytest.mark.timeout(240),
]

AGENT_SECONDS = 90.0
LEASE_SECONDS = 30
SCRIPT: dict[str, tuple[Step, ...]] = {
    "RENAME": (
        call("edit", filePath="README.md", oldString="# shop", newString="# store"),
        say("It is a store now."),
    ),
    "WHAT": (say("I renamed the shop."),),
    "THANKS": (say("You are welcome."),),
}


class Talk:
    """A2A 1.0 by JSON-RPC: messages about one codebase, which are waited for."""

    def __init__(self, plant: Plant, codebase: str) -> None:
        self.plant = plant
        self.metadata = {"codebase_id": codebase, "model": MODEL_ID, "artifacts": "files"}

    def say(self, text: str, **more: str) -> Json:
        """The task that a message has come to, settled."""
        message = {"messageId": uuid.uuid4().hex, "role": "ROLE_USER", "parts": [{"text": text}]}
        said = message | more | ({} if "taskId" in more else {"metadata": self.metadata})
        return dict(self._call("SendMessage", message=said)["task"])

    def get(self, task_id: str) -> Json:
        return self._call("GetTask", id=task_id)

    def _call(self, method: str, **params: Any) -> Json:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self.plant.http.post("/a2a/jsonrpc", json=body, timeout=AGENT_SECONDS).json()
        assert "result" in answer, answer
        found: Json = answer["result"]
        return found


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    with Plant(tmp_path, lease_seconds=LEASE_SECONDS, A2A_BLOCKING_TIMEOUT=f"{AGENT_SECONDS:.0f}") as running:
        yield running


@pytest.fixture
def talk(plant: Plant, tmp_path: Path) -> Iterator[Talk]:
    """With Ada's laptop, whose shop may not be changed without asking."""
    shop = make_repository(tmp_path / "shop")
    home = tmp_path / "ada"
    home.mkdir()
    with ModelServer(SCRIPT) as model:
        variables = opencode_environment(home, model.base_url)
        with WorkerProcess(plant.url, home, "--codebase", f"shop:{shop}", environment=variables):
            codebase = until(lambda: registered(plant), "the laptop is there", seconds=AGENT_SECONDS)
            path = f"/v1/opencode/codebases/{codebase}"
            assert plant.http.patch(path, json={"agent_config": {"auto_approve": False}}).is_success
            yield Talk(plant, codebase)


def registered(plant: Plant) -> str:
    """The shop's id, once its laptop can run the scripted model."""
    models = plant.http.get("/v1/opencode/models").json()["models"]
    listed = plant.http.get("/v1/opencode/codebases").json()["codebases"]
    return str(listed[0]["id"]) if models and listed else ""


def words(message: Json) -> str:
    return "".join(part.get("text", "") for part in message["parts"])


def test_three_turns_with_a_question_and_a_file(plant: Plant, talk: Talk, cast: Cast, tmp_path: Path) -> None:
    readme = tmp_path / "shop" / "README.md"
    asked = talk.say("RENAME the shop")
    assert asked["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert words(asked["status"]["message"]).startswith("May the agent do this? edit")
    assert readme.read_text() == "# shop\n"

    renamed = talk.say("yes", taskId=asked["id"])
    assert (renamed["id"], renamed["status"]["state"]) == (asked["id"], "TASK_STATE_COMPLETED")
    assert readme.read_text() == "# store\n"
    assert files_of(renamed) == {"README.md": b"# store\n"}

    context = renamed["contextId"]
    second = talk.say("WHAT did you do?", contextId=context)
    third = talk.say("THANKS", contextId=context)
    assert [words(one["status"]["message"]) for one in (renamed, second, third)] == [
        "It is a store now.", "I renamed the shop.", "You are welcome.",
    ]  # fmt: skip
    sessions = {plant.task(one["id"])["session_id"] for one in (renamed, second, third)}
    assert len(sessions) == 1
    for task in (renamed, second, third):
        assert_every_face_tells_the_same(plant, cast, talk.get(task["id"]))


def files_of(task: Json) -> dict[str, bytes]:
    """The content of each file among the artifacts by its name."""
    parts = [part for artifact in task["artifacts"] for part in artifact["parts"] if "raw" in part]
    return {part["filename"]: base64.b64decode(part["raw"]) for part in parts}


def assert_every_face_tells_the_same(plant: Plant, cast: Cast, task: Json) -> None:
    """What A2A tells of the task is what REST's log and the console's transcript tell."""
    row = plant.task(task["id"])
    assert f"TASK_STATE_{row['status'].upper()}" == task["status"]["state"]
    assert row["result"] == words(task["status"]["message"])
    events = plant.http.get(f"/v1/opencode/tasks/{task['id']}/events").json()["events"]
    told = [event["data"] for event in events if event["kind"] in ("created", "asked", "answered", "message")]
    said = [data.get("prompt") or data.get("question") or data["message"] for data in told]
    assert [words(message) for message in task["history"]] == said
    shown = page_of(cast, task["id"])
    for text in [*said, row["result"], *(part for part in files_of(task))]:
        assert text in shown


def page_of(cast: Cast, task_id: str) -> str:
    """The task's page in the console, as somebody of the workspace sees it."""
    client = Client()
    client.force_login(cast.user(f"otto-{task_id}", Role.OPERATOR, is_staff=True))
    return client.get(reverse("admin:tasks_task_change", args=[task_id])).text
