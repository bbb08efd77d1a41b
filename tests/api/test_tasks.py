"""Tasks over REST: making, listing, showing, steering, and their log."""

import pytest

from apps.accounts.permissions import Role
from apps.rest import answers
from apps.tasks.models import Task
from apps.tasks.services import event_from_worker, task_progress
from apps.workers.services import Registration, worker_register
from tests.api.conftest import Api
from tests.expiry import expire_leases
from tests.factories import Cast

PATH = "/v1/opencode/tasks"
NEW = {"title": "Mend the till", "prompt": "Make the tests pass."}


def test_task_is_made_with_all_that_was_asked(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    body = {
        **NEW, "agent_type": "plan", "priority": 7, "codebase_id": shop.id, "target_agent": "reviewer",
        "deadline_seconds": 60, "metadata": {"model": "a/b", "resume_session_id": "ses_1", "mine": [1, None]},
    }  # fmt: skip
    made = api.post(PATH, body).json()
    answers.TaskChanged.model_validate(made)
    task = Task.objects.get(id=made["task"]["id"])
    assert (task.agent_type, task.priority, task.model, task.session_id) == ("plan", 7, "a/b", "ses_1")
    assert task.metadata["mine"] == [1, None]
    assert task.deadline_at is not None


def test_task_without_a_codebase_is_global(api: Api) -> None:
    for body in (NEW, {**NEW, "codebase_id": "global"}, {**NEW, "codebase_id": None}):
        assert api.post(PATH, body).json()["task"]["codebase_id"] == "global"


def test_task_of_a_codebase(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    made = api.post(f"/v1/opencode/codebases/{shop.id}/tasks", NEW).json()
    listed = api.get(f"/v1/opencode/codebases/{shop.id}/tasks").json()
    assert [task["id"] for task in listed["tasks"]] == [made["task"]["id"]]


def test_every_wrong_field_is_named(api: Api) -> None:
    refused = api.post(PATH, {"title": 5, "priority": "high", "metadata": []})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert set(refused.json()["errors"]) == {"title", "prompt", "priority", "metadata"}
    assert not Task.objects.exists()


def test_priority_beyond_the_column_is_refused(api: Api) -> None:
    assert api.post(PATH, {**NEW, "priority": 2**31}).json()["errors"].keys() == {"priority"}


def test_searches_for_codebases_cannot_be_made_by_hand(api: Api) -> None:
    assert api.post(PATH, {**NEW, "agent_type": "register_codebase"}).status_code == 400
    assert not Task.objects.exists()


def test_list_is_narrowed_paged_and_counted(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    cast.task("One", codebase_id=shop.id)
    cast.task("Two")
    cast.held(cast.task("Three"))
    everything = api.get(PATH, limit=2).json()
    answers.TaskPage.model_validate(everything)
    assert [task["title"] for task in everything["tasks"]] == ["Three", "Two"]
    assert everything["total"] == 3
    for narrowed, titles in (
        ({"status": "running"}, ["Three"]), ({"codebase_id": shop.id}, ["One"]), ({"q": "tw"}, ["Two"]),
        ({"worker_id": "w1"}, ["Three"]), ({"codebase_id": "global", "offset": 1}, ["Two"]),
    ):  # fmt: skip
        assert [task["title"] for task in api.get(PATH, **narrowed).json()["tasks"]] == titles


@pytest.mark.parametrize("query", [{"limit": "x"}, {"limit": 0}, {"offset": -1}, {"offset": 2**70}, {"status": "odd"}])
def test_nonsense_in_the_query_is_refused(api: Api, query: dict[str, object]) -> None:
    assert api.get(PATH, **query).status_code == 400


def test_detail_says_why_the_task_waits(api: Api, cast: Cast) -> None:
    shown = api.get(f"{PATH}/{cast.task().id}").json()
    answers.TaskDetail.model_validate(shown)
    assert shown["why_pending"] == "no worker is connected"


def test_unknown_and_foreign_tasks_look_the_same(api: Api, cast: Cast) -> None:
    foreign = cast.elsewhere().task()
    unknown = api.get(f"{PATH}/01a1fea9-d497-7583-8846-d59e1ec7af80")
    theirs = api.get(f"{PATH}/{foreign.id}")
    assert (unknown.status_code, unknown.json()) == (theirs.status_code, theirs.json())
    assert unknown.json()["code"] == "task_not_found"


def test_cancel_says_why(api: Api, cast: Cast) -> None:
    task = cast.task()
    answer = api.post(f"{PATH}/{task.id}/cancel", {"reason": "not needed"}).json()
    assert (answer["task"]["status"], answer["task"]["error"]) == ("cancelled", "not needed")
    again = api.post(f"{PATH}/{task.id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "task_ended")


def test_requeue_and_priority(api: Api, cast: Cast) -> None:
    claim = cast.held()
    assert api.post(f"{PATH}/{claim.task_id}/requeue").json()["task"]["status"] == "pending"
    assert api.patch(f"{PATH}/{claim.task_id}", {"priority": 9}).json()["task"]["priority"] == 9


def test_input_answers_the_question(api: Api, cast: Cast) -> None:
    claim = cast.held()
    task_progress(claim=claim, reported=[event_from_worker("input_required", {"question": "Sure?"})], seqs=[1])
    assert api.post(f"{PATH}/{claim.task_id}/input", {"message": "yes"}).json()["task"]["status"] == "running"


@pytest.mark.parametrize(("approved", "said"), [(True, "approved"), (False, "refused")])
def test_approve_answers_for_the_agent(api: Api, cast: Cast, approved: bool, said: str) -> None:
    claim = cast.held()
    task_progress(claim=claim, reported=[event_from_worker("input_required", {"question": "May I?"})], seqs=[1])
    api.post(f"{PATH}/{claim.task_id}/approve", {"approved": approved, "option_id": "o1"})
    answered = api.get(f"{PATH}/{claim.task_id}/events", after_seq=3).json()["events"][0]
    assert (answered["kind"], answered["data"]["message"]) == ("answered", said)
    assert answered["data"]["data"] == {"approved": approved, "option_id": "o1"}


def test_log_continues_after_a_number(api: Api, cast: Cast) -> None:
    claim = cast.held()
    first = api.get(f"{PATH}/{claim.task_id}/events", limit=1).json()
    answers.LogPage.model_validate(first)
    rest = api.get(f"{PATH}/{claim.task_id}/events", after_seq=first["next_after_seq"]).json()
    assert [event["kind"] for event in first["events"] + rest["events"]] == ["created", "claimed"]
    assert rest["next_after_seq"] == rest["last_seq"]


def test_output_in_chunks(api: Api, cast: Cast) -> None:
    claim = cast.held()
    said = [event_from_worker("output", {"type": "text", "content": part}) for part in ("Hel", "lo")]
    task_progress(claim=claim, reported=said, seqs=[1, 2])
    output = api.get(f"{PATH}/{claim.task_id}/output").json()
    answers.OutputPage.model_validate(output)
    assert "".join(chunk["content"] for chunk in output["output"]) == "Hello"


def test_worker_of_before_reports_and_finishes_without_a_token(admin: Api, cast: Cast) -> None:
    claim = cast.held()
    url = f"{PATH}/{claim.task_id}"
    assert admin.post(f"{url}/output", {"worker_id": "w1", "output": "half way"}).status_code == 200
    assert admin.put(f"{url}/status", {"worker_id": "w1", "status": "running", "session_id": "s1"}).status_code == 200
    done = {"worker_id": "w1", "status": "completed", "result": "done", "usage": {"input_tokens": 3}}
    assert admin.put(f"{url}/status", done).json()["task"]["status"] == "completed"
    assert admin.put(f"{url}/status", done).status_code == 200
    task = Task.objects.get()
    assert (task.session_id, task.result, task.usage) == ("s1", "done", {"input_tokens": 3})


@pytest.mark.parametrize(
    "shown", [{}, {"worker_id": "w2"}, {"worker_id": "w1", "claim_token": "nonsense"},
              {"claim_token": "01a1fea9-d497-7583-8846-d59e1ec7af80"}],
)  # fmt: skip
def test_who_holds_no_claim_changes_nothing(admin: Api, cast: Cast, shown: dict[str, str]) -> None:
    claim = cast.held()
    for refused in (
        admin.put(f"{PATH}/{claim.task_id}/status", {**shown, "status": "completed", "result": "mine"}),
        admin.post(f"{PATH}/{claim.task_id}/output", {**shown, "output": "mine"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "stale_claim")
    assert (Task.objects.get().state, Task.objects.get().last_seq) == ("running", 2)


def test_pending_task_cannot_be_completed(admin: Api, cast: Cast) -> None:
    task = cast.task()
    assert admin.put(f"{PATH}/{task.id}/status", {"worker_id": "w1", "status": "completed"}).status_code == 409
    assert Task.objects.get().state == "pending"


def test_stuck_tasks_are_shown_and_recovered(api: Api, cast: Cast) -> None:
    claim = cast.held()
    expire_leases()
    assert [task["id"] for task in api.get(f"{PATH}/stuck").json()["stuck_tasks"]] == [str(claim.task_id)]
    answer = api.post(f"{PATH}/stuck/recover").json()
    answers.Recovered.model_validate(answer)
    assert answer["recovered"] == 1
    assert api.get(f"{PATH}/stuck").json()["total"] == 0


def test_my_tasks_are_those_i_made(api: Api, cast: Cast) -> None:
    cast.task("hers")
    api.post(PATH, NEW)
    mine = api.get("/v1/queue/my").json()
    assert [task["title"] for task in mine["tasks"]] == ["Mend the till"]


def test_viewer_reads_and_does_not_write(api: Api, cast: Cast) -> None:
    viewer = api.bearing(cast.token(Role.VIEWER))
    assert viewer.get(PATH).status_code == 200
    assert viewer.post(PATH, NEW).status_code == 403
    assert not Task.objects.exists()


def test_why_pending_names_the_missing_model(api: Api, cast: Cast) -> None:
    said = Registration(worker_id="w1", name="w1", global_codebase_id="global")
    worker_register(workspace_id=cast.workspace.id, registration=said)
    shown = api.get(f"{PATH}/{cast.task(model='a/b').id}").json()
    assert "a/b" in shown["why_pending"]
