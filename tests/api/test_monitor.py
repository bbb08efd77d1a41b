"""The monitor over REST: who does what, what was said, exports, and speaking to anybody."""

import csv
import io

import pytest

from apps.accounts.permissions import Role
from apps.rest import answers
from apps.sessions.search import search_update
from apps.tasks import log
from apps.tasks.models import Task
from apps.tasks.services import task_cancel
from apps.tasks.states import State
from tests.api.conftest import Api
from tests.factories import Cast

MESSAGES = [
    {"id": "msg_1", "role": "user", "content": "=The gazebo leaks", "created_at": "2026-01-02T03:04:05Z"},
    {"id": "msg_2", "role": "assistant", "content": "Mended & dry", "created_at": "2026-01-02T03:04:06Z"},
]
AGENT = {"role": "reviewer", "instance": "reviewer:attic:1", "description": "Reads"}


@pytest.fixture
def talk(api: Api, cast: Cast) -> str:
    """A session with two messages, which the search has taken in; its path."""
    path = f"/v1/opencode/codebases/{cast.codebase().id}/sessions"
    api.post(f"{path}/sync", {"worker_id": "w1", "source": "opencode", "sessions": [{"id": "ses_1", "title": "Till"}]})
    api.post(f"{path}/ses_1/messages/sync", {"worker_id": "w1", "messages": MESSAGES})
    search_update()
    return path


def worker(api: Api, cast: Cast) -> None:
    """w1, with one agent."""
    body = {"worker_id": "w1", "name": "attic", "agents": [AGENT], "global_codebase_id": "global"}
    api.bearing(cast.token(Role.WORKER)).post("/v1/opencode/workers/register", body)


def last(task_id: str) -> tuple[str, object]:
    """What the log of a task ends with."""
    task = Task.objects.get(id=task_id)
    (event,) = log.read(task.id, task.last_seq - 1)
    return event.kind, event.data.get("message", event.data.get("prompt"))


def test_the_front_leads_to_the_console(api: Api, cast: Cast) -> None:
    for path in ("/v1/monitor", "/v1/monitor/"):
        answer = api.bearing("").get(path)
        assert (answer.status_code, answer.headers["location"]) == (302, "/admin/")


def test_messages_are_told_newest_first(api: Api, cast: Cast, talk: str) -> None:
    page = api.get("/v1/monitor/messages").json()
    answers.SaidPage.model_validate(page)
    assert [message["id"] for message in page["messages"]] == ["msg_2", "msg_1"]
    assert page["messages"][0]["conversation_id"] == "ses_1"
    assert api.get("/v1/monitor/messages", limit=1, offset=1).json()["messages"] == page["messages"][1:]
    assert api.get("/v1/monitor/messages/count").json() == {"count": 2}


@pytest.mark.parametrize(
    ("narrowed", "number"),
    [({"agent_id": "w1"}, 2), ({"agent_id": "w2"}, 0), ({"conversation_id": "ses_1"}, 2),
     ({"conversation_id": "ses_2"}, 0), ({"agent_id": "reviewer:attic:1"}, 2)],
)  # fmt: skip
def test_messages_are_narrowed(api: Api, cast: Cast, talk: str, narrowed: dict[str, str], number: int) -> None:
    worker(api, cast)
    assert len(api.get("/v1/monitor/messages", **narrowed).json()["messages"]) == number


def test_messages_are_found_by_their_words(api: Api, cast: Cast, talk: str) -> None:
    page = api.get("/v1/monitor/messages/search", q="leaking gazebo").json()
    answers.SoughtPage.model_validate(page)
    assert [one["id"] for one in page["messages"]] == ["msg_1"]
    assert page["messages"][0]["snippet"] == "<mark>gazebo</mark> <mark>leaks</mark>"
    assert api.get("/v1/monitor/messages/search").status_code == 400


def test_sessions_are_found_by_their_words(api: Api, cast: Cast, talk: str) -> None:
    for path in (talk, "/v1/opencode/database/sessions"):
        page = api.get(path, q="gazebo").json()
        answers.SessionPage.model_validate(page)
        assert [(one["id"], one["matches"]) for one in page["sessions"]] == [("ses_1", 1)]
        assert api.get(path, q="harbour").json()["total"] == 0


def test_agents_and_what_they_work_on_are_told(api: Api, cast: Cast) -> None:
    worker(api, cast)
    assert api.get("/v1/monitor/agents").json()["agents"][0]["status"] == "idle"
    task = cast.held(worker_id="w1").task_id
    told = api.get("/v1/monitor/agents").json()
    answers.WatchedAgents.model_validate(told)
    assert told["agents"][0]["id"] == "reviewer:attic:1"
    assert [one["task_id"] for one in told["agents"][0]["tasks"]] == [str(task)]
    assert api.get("/v1/monitor/workers").json()["total"] == 1


def test_stats_count_what_there_is(api: Api, cast: Cast, talk: str) -> None:
    cast.task()
    stats = api.get("/v1/monitor/stats").json()
    answers.Stats.model_validate(stats)
    assert (stats["tasks"]["pending"], stats["total_tasks"], stats["messages"], stats["sessions"]) == (1, 1, 2, 1)


@pytest.mark.parametrize("named", ["task", "codebase", "w1", "reviewer", "reviewer:attic:1"])
def test_whoever_is_spoken_to_hears_it(api: Api, cast: Cast, named: str) -> None:
    worker(api, cast)
    codebase = cast.codebase()
    task = cast.held(codebase_id=codebase.id).task_id
    agent_id = {"task": str(task), "codebase": codebase.id}.get(named, named)
    said = api.post("/v1/monitor/intervene", {"agent_id": agent_id, "message": "Mind the step"}).json()
    answers.Intervened.model_validate(said)
    assert said["task_ids"] == [str(task)]
    assert last(said["task_id"]) == ("message", "Mind the step")


def test_an_agent_that_works_on_nothing_gets_a_task(api: Api, cast: Cast) -> None:
    worker(api, cast)
    said = api.post("/v1/monitor/intervene", {"agent_id": "reviewer", "message": "Look at the till\nplease"}).json()
    task = Task.objects.get(id=said["task_id"])
    assert (task.title, task.target_agent, task.state) == ("Look at the till", "reviewer", State.PENDING)


def test_nobody_else_is_spoken_to(api: Api, cast: Cast) -> None:
    ended, foreign = cast.task(), cast.elsewhere().task()
    task_cancel(workspace_id=cast.workspace.id, task_id=ended.id, by="ada")
    before = Task.objects.count()
    for agent_id, status in ((str(foreign.id), 404), ("nobody", 404), (str(ended.id), 409)):
        refused = api.post("/v1/monitor/intervene", {"agent_id": agent_id, "message": "Hello"})
        assert refused.status_code == status
    assert api.post("/v1/monitor/intervene", {"agent_id": str(ended.id), "message": " \n"}).status_code == 400
    assert Task.objects.count() == before
    assert last(str(foreign.id))[0] == "created"


@pytest.mark.parametrize(("what", "number"), [("messages", 2), ("tasks", 3)])
def test_exports_hold_all_once(
    api: Api, cast: Cast, talk: str, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    monkeypatch.setattr("apps.live.exports.PAGE", 1)  # each row is a page
    tasks = [cast.task(f"Task {n}") for n in range(3)]
    cast.elsewhere().task("Secret")
    document = api.get("/v1/monitor/export/json", of=what).json()[what]
    answer = api.get("/v1/monitor/export/csv", of=what)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(document) == len(rows) == number
    assert answer.headers["content-disposition"] == f'attachment; filename="{what}.csv"'
    if what == "tasks":
        assert {row["id"] for row in rows} == {one["id"] for one in document} == {str(task.id) for task in tasks}


@pytest.mark.django_db(transaction=True)
def test_the_log_is_exported_in_its_order(real_api: Api, cast: Cast) -> None:
    task = cast.held().task_id
    events = real_api.get("/v1/monitor/export/json", of="events").json()["events"]
    assert [(one["task_id"], one["kind"]) for one in events] == [(str(task), "created"), (str(task), "claimed")]
    assert real_api.get("/v1/monitor/export/csv", of="events").text.count(str(task)) == 2


def test_an_export_holds_no_formula(api: Api, cast: Cast, talk: str) -> None:
    assert "'=The gazebo leaks" in api.get("/v1/monitor/export/csv").text


def test_exports_that_there_are_not_are_refused(api: Api, cast: Cast) -> None:
    assert api.get("/v1/monitor/export/xml").status_code == 404
    assert api.get("/v1/monitor/export/csv", of="secrets").status_code == 400
    narrowed = api.bearing(cast.token(Role.VIEWER, scopes=["tasks:read"]))
    assert narrowed.get("/v1/monitor/export/csv").status_code == 403
    assert narrowed.get("/v1/monitor/export/csv", of="tasks").status_code == 200
