"""Sessions over REST: synced by workers, read by people, gone on with."""

from apps.accounts.permissions import Role
from apps.rest import answers
from apps.sessions.models import AgentSession, SessionMessage
from apps.tasks.models import Task
from tests.api.conftest import Api
from tests.factories import Cast

SESSION = {"id": "ses_1", "title": "Till", "created": 1767323045000}
MESSAGES = [
    {
        "info": {"id": "msg_1", "role": "user", "time": {"created": 1767323045000}},
        "parts": [{"type": "text", "text": "Hi"}],
    },
    {"id": "msg_2", "role": "assistant", "content": "Hello", "created_at": "2026-01-02T03:04:06Z"},
]


def synced(api: Api, cast: Cast) -> str:
    """The path of a synced session."""
    path = f"/v1/opencode/codebases/{cast.codebase().id}/sessions"
    api.post(f"{path}/sync", {"worker_id": "w1", "sessions": [SESSION]})
    return f"{path}/ses_1"


def test_synced_sessions_are_listed_and_shown(api: Api, cast: Cast) -> None:
    path = synced(api, cast)
    listed = api.get(path.removesuffix("/ses_1")).json()
    answers.SessionPage.model_validate(listed)
    assert [session["id"] for session in listed["sessions"]] == ["ses_1"]
    assert api.get(path).json()["title"] == "Till"
    assert api.get("/v1/opencode/database/sessions").json()["source"] == "postgresql"


def test_synced_messages_are_read_in_order(api: Api, cast: Cast) -> None:
    path = synced(api, cast)
    assert api.post(f"{path}/messages/sync", {"worker_id": "w1", "messages": MESSAGES}).json()["synced"] == 2
    page = api.get(f"{path}/messages").json()
    answers.MessagePage.model_validate(page)
    assert [message["content"] for message in page["messages"]] == ["Hi", "Hello"]
    codebase = path.split("/")[4]
    assert api.get(f"/v1/opencode/codebases/{codebase}/messages", session_id="ses_1").json()["total"] == 2


def test_ingest_brings_session_and_messages_at_once(api: Api, cast: Cast) -> None:
    path = f"/v1/opencode/codebases/{cast.codebase().id}/sessions/abc/ingest"
    body = {"source": "claude", "worker_id": "w1", "session": {"title": "From afar"}, "messages": MESSAGES}
    assert api.post(path, body).json()["synced"] == 2
    assert AgentSession.objects.get().source == "claude"


def test_resume_makes_a_task_in_the_session(api: Api, cast: Cast) -> None:
    path = synced(api, cast)
    answer = api.post(f"{path}/resume", {"prompt": "Go on"}).json()
    answers.Started.model_validate(answer)
    assert Task.objects.get().session_id == "ses_1"


def test_messages_of_an_unknown_session_are_refused(api: Api, cast: Cast) -> None:
    path = synced(api, cast).replace("ses_1", "ses_2")
    answer = api.post(f"{path}/messages/sync", {"worker_id": "w1", "messages": MESSAGES})
    assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
    assert not SessionMessage.objects.exists()


def test_viewer_may_read_and_not_sync(api: Api, cast: Cast) -> None:
    path = synced(api, cast)
    viewer = api.bearing(cast.token(Role.VIEWER))
    assert viewer.get(path).status_code == 200
    assert viewer.post(f"{path}/messages/sync", {"messages": MESSAGES}).status_code == 403
    assert not SessionMessage.objects.exists()
