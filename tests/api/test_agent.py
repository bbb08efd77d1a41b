"""A codebase's agent over REST: trigger, message, interrupt, stop, status."""

from apps.rest import answers
from apps.tasks import log
from apps.tasks.models import Task
from apps.tasks.services import Outcome, event_from_worker, task_finish, task_progress
from apps.tasks.states import State
from tests.api.conftest import Api
from tests.factories import Cast


def url(codebase_id: str, what: str) -> str:
    return f"/v1/opencode/codebases/{codebase_id}/{what}"


def test_trigger_makes_a_task(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    body = {"prompt": "Add unit tests\nfor the till", "agent": "plan", "model": "a/b", "files": ["till.py"]}
    answer = api.post(url(shop.id, "trigger"), body).json()
    answers.Started.model_validate(answer)
    task = Task.objects.get(id=answer["task_id"])
    assert (task.title, task.agent_type, task.model) == ("Add unit tests", "plan", "a/b")
    assert (task.codebase_id, task.metadata, answer["status"]) == (shop.id, {"files": ["till.py"]}, "pending")


def test_trigger_as_documented_with_a_forms_content_type(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    content = '{"prompt": "Add unit tests for the auth module", "agent": "build"}'
    answer = api.call("POST", url(shop.id, "trigger"), content=content, headers=headers)
    assert answer.json()["success"] is True


def test_trigger_can_resume_a_session(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    answer = api.post(url(shop.id, "trigger"), {"prompt": "go on", "metadata": {"resume_session_id": "ses_9"}}).json()
    assert answer["session_id"] == "ses_9"


def test_two_different_models_contradict(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    body = {"prompt": "go", "model": "a/b", "metadata": {"model": "a/c"}}
    assert api.post(url(shop.id, "trigger"), body).status_code == 422
    assert not Task.objects.exists()


def test_message_goes_to_the_running_task(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    claim = cast.held(codebase_id=shop.id)
    answer = api.post(url(shop.id, "message"), {"message": "hurry"}).json()
    assert answer["task_id"] == str(claim.task_id)
    assert [event.data["message"] for event in log.read(claim.task_id) if event.kind == "message"] == ["hurry"]


def test_message_answers_a_question(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    claim = cast.held(codebase_id=shop.id)
    asked = event_from_worker("input_required", {"question": "Really?"})
    task_progress(claim=claim, reported=[asked], seqs=[1])
    assert api.post(url(shop.id, "message"), {"message": "yes"}).json()["status"] == "running"


def test_message_resumes_the_last_session_when_nothing_runs(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    claim = cast.held(codebase_id=shop.id, agent_type="plan", model="a/b")
    task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, result="ok", session_id="ses_1"))
    answer = api.post(url(shop.id, "message"), {"message": "and now?"}).json()
    follow_up = Task.objects.get(id=answer["task_id"])
    assert answer["session_id"] == follow_up.session_id == "ses_1"
    assert (follow_up.agent_type, follow_up.model, follow_up.state) == ("plan", "a/b", "pending")


def test_interrupt_reaches_the_running_task(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    claim = cast.held(codebase_id=shop.id)
    assert api.post(url(shop.id, "interrupt")).json()["task_id"] == str(claim.task_id)
    assert log.read(claim.task_id)[-1].data["interrupt"] is True


def test_interrupt_with_nothing_running_is_refused(api: Api, cast: Cast) -> None:
    refused = api.post(url(cast.codebase().id, "interrupt"))
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_running")


def test_stop_cancels_what_runs_and_leaves_what_waits(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    claim, waiting = cast.held(codebase_id=shop.id), cast.task(codebase_id=shop.id)
    assert api.post(url(shop.id, "stop")).json()["cancelled"] == [str(claim.task_id)]
    assert Task.objects.get(id=waiting.id).state == "pending"
    assert api.post(url(shop.id, "stop")).json()["cancelled"] == []


def test_status_shows_the_running_task(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    claim = cast.held(codebase_id=shop.id)
    cast.task(codebase_id=shop.id)
    status = api.get(url(shop.id, "status")).json()
    answers.Activity.model_validate(status)
    assert (status["status"], status["current_task"]["id"]) == ("running", str(claim.task_id))
    assert status["pending_tasks"] == 1


def test_status_at_rest(api: Api, cast: Cast) -> None:
    active, pending = cast.codebase("shop"), cast.codebase("till", worker_id="", status="pending")
    assert api.get(url(active.id, "status")).json()["status"] == "idle"
    assert api.get(url(pending.id, "status")).json()["status"] == "pending"
