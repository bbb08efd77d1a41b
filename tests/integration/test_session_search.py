"""Finding sessions by what was said in them."""

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from apps.core.tenancy import acting, of_workspaces
from apps.sessions import reading
from apps.sessions.jobs import search_take_in
from apps.sessions.models import AgentSession, SearchEntry
from apps.sessions.search import messages_search, search_update, sessions_search
from apps.sessions.services import messages_sync
from tests.bench.plan import nodes
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def said(cast: Cast, *texts: str, title: str = "Tuesday", codebase_id: str = "") -> AgentSession:
    """A session with these messages, not taken in yet."""
    now = timezone.now()
    session = AgentSession.objects.create(
        workspace=cast.workspace, codebase_id=codebase_id or cast.codebase(uuid.uuid4().hex).id,
        session_id=f"ses_{uuid.uuid4().hex}", title=title, created_at=now, updated_at=now,
    )  # fmt: skip
    sync(session, *texts)
    return session


def sync(session: AgentSession, *texts: str) -> None:
    raw = [{"id": f"msg_{place}", "content": text} for place, text in enumerate(texts)]
    messages_sync(session=session, messages=reading.messages(raw))


def found(cast: Cast, question: str, codebase_id: str = "") -> list[str]:
    facts, total = sessions_search(cast.workspace.id, question, codebase_id=codebase_id, limit=10)
    assert total == len(facts)
    return [one["id"] for one in facts]


def test_what_was_said_is_found_once_the_job_has_taken_it_in(cast: Cast) -> None:
    session = said(cast, "The gazebo leaks.")
    assert found(cast, "gazebo") == []
    search_take_in()
    assert found(cast, "leaking gazebos") == [session.session_id]


def test_the_best_comes_first_and_a_title_counts_more(cast: Cast) -> None:
    once = said(cast, "The till, and much else that has nothing to do with it whatsoever.")
    titled = said(cast, "Hello.", title="Mend the till")
    search_update()
    assert found(cast, "till") == [titled.session_id, once.session_id]
    assert found(cast, '"much else" -gazebo') == [once.session_id]
    assert found(cast, "till", codebase_id=titled.codebase_id) == [titled.session_id]


def test_a_snippet_is_safe_to_show(cast: Cast) -> None:
    said(cast, "Click <script>alert(1)</script> on sand & the gazebo")
    search_update()
    (hit,), total = messages_search(cast.workspace.id, "gazebo", limit=5)
    assert total == 1
    assert "sand &amp; the <mark>gazebo</mark>" in hit.snippet
    assert "<script>" not in hit.snippet


def test_a_message_that_changed_is_found_by_its_new_words_alone(cast: Cast) -> None:
    session = said(cast, "The gazebo leaks.")
    search_update()
    sync(session, "The harbour is closed.")
    search_update()
    assert found(cast, "gazebo") == []
    assert found(cast, "harbour") == [session.session_id]


def test_the_same_synced_again_is_not_taken_in_again(cast: Cast) -> None:
    session = said(cast, "The gazebo leaks.")
    assert search_update() == 1
    sync(session, "The gazebo leaks.")
    assert search_update() == 0


def test_nobody_finds_what_another_workspace_said(cast: Cast) -> None:
    said(cast, "The gazebo leaks.", title="Gazebo")
    elsewhere = cast.elsewhere()
    search_update()
    assert found(elsewhere, "gazebo") == []
    with acting(of_workspaces(elsewhere.workspace.id)):  # even who asks for it by name
        assert sessions_search(cast.workspace.id, "gazebo", limit=5) == ([], 0)
        assert not SearchEntry.objects.exists()


@pytest.mark.parametrize("question", ["the", "'", "& | !", "\\", '"', "<->", ":*", "é" * 200])
def test_any_question_has_an_answer(cast: Cast, question: str) -> None:
    assert found(cast, question) == []


def test_words_are_found_by_the_index(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN (FORMAT JSON) SELECT FROM agent_sessions_searchentry WHERE words @@ 'gazebo'::tsquery")
        ((walled,),) = cursor.fetchall()
    assert "search_words" not in [node.get("Index Name") for node in nodes(walled[0]["Plan"])], "needs no function"
