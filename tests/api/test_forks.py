"""A session is forked: another one begins with its history, and it stays as it is."""

from typing import Any

import pytest

from apps.rest import answers
from apps.sessions.models import AgentSession
from apps.tasks.models import Task
from tests.api.conftest import Api
from tests.factories import Cast
from tests.integration.chance import worker

pytestmark = pytest.mark.django_db

SESSION = {"id": "ses_old", "title": "Till", "created": 1767323045000}


class Scene:
    """A codebase with one session that the worker w1 keeps, and w1's hands."""

    def __init__(self, api: Api, admin: Api, cast: Cast) -> None:
        self.api, self.admin = api, admin
        self.shop = cast.codebase()
        worker(cast, "w1", capabilities=["opencode"])
        self.sessions = f"/v1/opencode/codebases/{self.shop.id}/sessions"
        said = {"worker_id": "w1", "source": "opencode", "sessions": [SESSION]}
        admin.post(f"{self.sessions}/sync", said)

    def fork(self, **more: Any) -> Task:
        answer = self.api.post(f"{self.sessions}/ses_old/fork", {"prompt": "Another way", **more})
        answers.Started.model_validate(answer.json())
        return Task.objects.get(id=answer.json()["task_id"])

    def claimed(self) -> dict[str, Any]:
        found: dict[str, Any] = self.admin.post("/v1/worker/tasks/claim", {"worker_id": "w1"}).json()["task"]
        return found

    def opens(self, claimed: dict[str, Any], session_id: str) -> None:
        event = {"kind": "session", "data": {"session_id": session_id, "agent": "opencode"}}
        body = {"claim_token": claimed["claim_token"], "events": [event]}
        assert self.admin.post(f"/v1/worker/tasks/{claimed['id']}/events", body).json()["success"]

    def give_back(self, claimed: dict[str, Any]) -> None:
        body = {"task_id": claimed["id"], "claim_token": claimed["claim_token"], "status": "pending"}
        assert self.admin.post("/v1/worker/tasks/release", body).json()["success"]

    def session(self, session_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.api.get(f"{self.sessions}/{session_id}").json()
        answers.Session.model_validate(shown)
        return shown


@pytest.fixture
def scene(api: Api, admin: Api, cast: Cast) -> Scene:
    return Scene(api, admin, cast)


def test_fork_is_a_task_for_who_keeps_the_session(scene: Scene) -> None:
    task = scene.fork(agent="plan", title="Try it otherwise")
    assert (task.title, task.agent_type, task.session_id) == ("Try it otherwise", "plan", "ses_old")
    assert task.requires == ["opencode", "worker:w1"]
    assert task.metadata == {"fork": True, "forked_from": "ses_old", "session_agent": "opencode"}
    assert scene.fork().title == "Another way"


def test_new_session_is_the_tasks_and_a_fork_of_the_old_one(scene: Scene) -> None:
    task = scene.fork()
    claimed = scene.claimed()
    assert (claimed["session_id"], claimed["metadata"]["fork"]) == ("ses_old", True)
    scene.opens(claimed, "ses_new")
    task.refresh_from_db()
    assert task.session_id == "ses_new"
    assert scene.session("ses_old")["forks"] == ["ses_new"]
    new = scene.session("ses_new")
    assert (new["forked_from"], new["forks"], new["worker_id"], new["source"]) == ("ses_old", [], "w1", "opencode")
    assert scene.session("ses_old")["title"] == "Till"


def test_later_attempt_goes_on_with_the_fork(scene: Scene) -> None:
    scene.fork()
    claimed = scene.claimed()
    scene.opens(claimed, "ses_new")
    scene.give_back(claimed)
    again = scene.claimed()
    assert again["session_id"] == "ses_new"
    assert "fork" not in again["metadata"]


def test_attempt_that_opened_nothing_is_repeated_as_a_fork(scene: Scene) -> None:
    scene.fork()
    scene.give_back(scene.claimed())
    assert scene.claimed()["metadata"]["fork"] is True


def test_sync_tells_more_of_a_fork_and_keeps_whose_it_is(scene: Scene) -> None:
    scene.fork()
    scene.opens(scene.claimed(), "ses_new")
    said = {"worker_id": "w1", "source": "opencode", "sessions": [{"id": "ses_new", "title": "Better"}]}
    scene.admin.post(f"{scene.sessions}/sync", said)
    assert (scene.session("ses_new")["title"], scene.session("ses_new")["forked_from"]) == ("Better", "ses_old")


def test_session_that_a_task_opens_is_known_at_once_and_what_was_known_stays(scene: Scene) -> None:
    for session_id in ("ses_1", "ses_old"):
        scene.api.post(f"/v1/opencode/codebases/{scene.shop.id}/trigger", {"prompt": "Mend the till"})
        scene.opens(scene.claimed(), session_id)
    assert scene.session("ses_1").items() >= {"title": "Mend the till", "worker_id": "w1", "forks": []}.items()
    assert scene.session("ses_old")["title"] == "Till"
    assert AgentSession.objects.count() == 2


def test_fork_of_what_is_not_there_is_refused(scene: Scene) -> None:
    assert scene.api.post(f"{scene.sessions}/ses_none/fork", {"prompt": "x"}).status_code == 404
    path = f"/v1/opencode/codebases/{scene.shop.id}/trigger"
    refused = scene.api.post(path, {"prompt": "x", "metadata": {"fork": True}})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["metadata.fork"])
    assert not Task.objects.exists()
