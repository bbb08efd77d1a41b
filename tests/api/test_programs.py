"""Which agent program a task is for, and where its session can be gone on with."""

from typing import Any

import pytest

from apps.tasks.models import Task
from apps.tasks.services import Claim, NewTask, event_from_worker, task_claim, task_create, task_progress
from apps.workers.selectors import claimer_of
from apps.workers.waiting import why_pending
from tests.api.conftest import Api
from tests.factories import Cast
from tests.integration.chance import worker

CODEBASES = "/v1/opencode/codebases"


def trigger(api: Api, codebase_id: str, **metadata: Any) -> Task:
    answer = api.post(f"{CODEBASES}/{codebase_id}/trigger", {"prompt": "Mend it", "metadata": metadata}).json()
    return Task.objects.get(id=answer["task_id"])


def synced(api: Api, codebase_id: str, source: str = "claude", worker_id: str = "w1") -> str:
    """The id of a session that a worker keeps."""
    path = f"{CODEBASES}/{codebase_id}/sessions/sync"
    api.post(path, {"worker_id": worker_id, "source": source, "sessions": [{"id": "ses_1"}]})
    return "ses_1"


def test_program_that_the_metadata_name_is_required(api: Api, cast: Cast) -> None:
    shop = cast.codebase(agent_config={"program": "opencode"})
    assert trigger(api, shop.id, agent="codex").requires == ["codex"]


@pytest.mark.parametrize("way", ["build", "plan", "explore", "general"])
def test_way_of_working_is_no_program(api: Api, cast: Cast, way: str) -> None:
    assert trigger(api, cast.codebase().id, agent=way).requires == []


def test_codebases_program_is_required(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    changed = api.patch(f"{CODEBASES}/{shop.id}", {"agent_config": {"program": "gemini"}}).json()
    assert changed["codebase"]["agent_config"]["program"] == "gemini"
    assert trigger(api, shop.id).requires == ["gemini"]
    api.patch(f"{CODEBASES}/{shop.id}", {"agent_config": {"program": ""}})
    assert trigger(api, shop.id).requires == []


def test_odd_program_is_refused(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    refused = api.patch(f"{CODEBASES}/{shop.id}", {"agent_config": {"program": "rm -rf"}})
    assert refused.status_code == 400
    shop.refresh_from_db()
    assert shop.agent_config == {}


def test_session_is_gone_on_with_by_its_program_where_it_is_kept(api: Api, cast: Cast) -> None:
    shop = cast.codebase(agent_config={"program": "gemini"})
    path = f"{CODEBASES}/{shop.id}/sessions/{synced(api, shop.id)}/resume"
    task = Task.objects.get(id=api.post(path, {"prompt": "Go on"}).json()["task_id"])
    assert (task.requires, task.metadata) == (["claude", "worker:w1"], {"session_agent": "claude"})


def test_another_program_may_be_asked_for_and_begins_anywhere(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    session = synced(api, shop.id)
    assert trigger(api, shop.id, agent="codex", resume_session_id=session).requires == ["codex"]
    assert trigger(api, shop.id, agent="claude", resume_session_id=session).requires == ["claude", "worker:w1"]


def test_client_does_not_say_whose_session_it_is(api: Api, cast: Cast) -> None:
    made = trigger(api, cast.codebase().id, session_agent="codex", resume_session_id="ses_9")
    assert (made.requires, made.metadata) == ([], {"resume_session_id": "ses_9"})


def test_only_the_worker_that_keeps_the_session_gets_the_task(api: Api, cast: Cast) -> None:
    shop = cast.codebase(worker_id="")
    path = f"{CODEBASES}/{shop.id}/sessions/{synced(api, shop.id, worker_id='w2')}/resume"
    said: dict[str, Any] = {"capabilities": ["claude", "worker:w2"], "codebases": [shop.id]}
    here = worker(cast, "w1", **said)
    task = Task.objects.get(id=api.post(path, {"prompt": "Go on"}).json()["task_id"])
    assert task_claim(claimer=claimer_of(here)) == []
    reason = why_pending(task)
    assert reason is not None
    assert (reason.code, reason.text) == ("no_session_worker", "no connected worker has the session kept by w2")
    (held,) = task_claim(claimer=claimer_of(worker(cast, "w2", **said)))
    assert held.id == task.id


def test_missing_program_is_what_the_task_waits_for(api: Api, cast: Cast) -> None:
    shop = cast.codebase(agent_config={"program": "codex"})
    worker(cast, "w1", capabilities=["builtin", "opencode"])
    task = trigger(api, shop.id)
    shown = api.get(f"/v1/opencode/tasks/{task.id}").json()
    told = (shown["why_pending_code"], shown["why_pending"])
    assert told == ("no_capability", "no worker with its codebase has codex")


def test_session_without_a_codebase_goes_on_in_its_program(cast: Cast) -> None:
    claim: Claim = cast.held()
    task_progress(claim=claim, reported=[event_from_worker("session", {"session_id": "ses_1", "agent": "codex"})])
    new = NewTask(title="More", prompt="Go on", session_id="ses_1", resumes=claim.task_id)
    task = task_create(workspace_id=cast.workspace.id, new=new, by="ada")
    assert (task.requires, task.metadata) == (["codex"], {"session_agent": "codex"})
    elsewhere = cast.elsewhere()
    assert task_create(workspace_id=elsewhere.workspace.id, new=new, by="eve").requires == []
