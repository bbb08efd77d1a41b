"""The console's pages of sessions: the list and its search, a session's transcript, and going on with one."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.permissions import Role
from apps.sessions import reading
from apps.sessions.admin import parts
from apps.sessions.models import AgentSession
from apps.sessions.search import search_update
from apps.sessions.services import messages_sync
from apps.tasks.models import Task
from tests.factories import Cast
from tests.factories.browsers import signed_in

LIST = "admin:agent_sessions_agentsession_changelist"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
CALL = {"type": "tool", "id": "p1", "tool": "bash", "callID": "c1", "state": {"input": {"command": "ls"}}}
RESULT = {"type": "tool_result", "id": "p2", "callID": "c1", "state": {"status": "completed", "output": "till.py"}}
EDIT = {"type": "tool", "tool": "edit", "state": {"status": "completed", "input": {"filePath": "till.py"},
        "output": "", "metadata": {"diff": "@@ -1 +1 @@\n-half\n+whole"}}}  # fmt: skip


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.OPERATOR)


@pytest.fixture
def vera(cast: Cast) -> Client:
    return signed_in(cast, "vera", Role.VIEWER)


def session(cast: Cast, *said: str | dict[str, Any], title: str = "Tuesday", **more: Any) -> AgentSession:
    """A session of these messages: texts, or what a worker tells of one. Id and codebase are named after the title."""
    now = timezone.now()
    values = {"session_id": f"ses_{title}", "source": "opencode", "worker_id": "w1"} | more
    if "codebase" not in values:
        values["codebase"] = cast.codebase(f"code of {title}")
    made = AgentSession.objects.create(
        workspace=cast.workspace, title=title, created_at=now, updated_at=now, message_count=len(said), **values
    )
    told = [{"content": one} if isinstance(one, str) else one for one in said]
    raw = [{"id": f"msg_{n:03}", "created_at": 1_700_000_000 + n} | one for n, one in enumerate(told, start=1)]
    messages_sync(session=made, messages=reading.messages(raw))
    search_update()
    return made


def url_of(one: AgentSession, page: str) -> str:
    return reverse(
        f"admin:agent_sessions_{'agentsession_change' if page == 'change' else f'session_{page}'}", args=[one.pk]
    )


def page_of(client: Client, one: AgentSession, **query: str | int) -> str:
    return client.get(url_of(one, "change"), query).text


def titles(client: Client, **query: str) -> list[str]:
    return [one.title for one in client.get(reverse(LIST), query).context["cl"].result_list]


def test_list_shows_what_there_is_and_the_latest_first(cast: Cast, otto: Client) -> None:
    session(cast, title="Early", usage={"input_tokens": 3400, "cost_usd": 0.5}, model="anthropic/claude-sonnet-4-5")
    session(cast, title="Late")
    assert titles(otto) == ["Late", "Early"]
    shown = otto.get(reverse(LIST)).text
    assert all(piece in shown for piece in ("$0.50 · 3.4k in", "claude-sonnet-4-5", "code of Late"))


def test_list_costs_the_same_number_of_queries_for_many_sessions(cast: Cast, otto: Client) -> None:
    def queries(**query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            otto.get(reverse(LIST), query)
        return len(captured)

    session(cast, "The gazebo leaks.", title="First")
    few, found = queries(), queries(q="gazebo")
    for number in range(5):
        session(cast, "Another gazebo.", title=f"More {number}")
    assert (queries(), queries(q="gazebo")) == (few, found)
    assert few <= 15


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"program": "codex"}, ["Other"]),
        ({"worker": "w1"}, ["Usual"]),
        ({"active": "hour"}, ["Other", "Usual"]),
        ({"active": "before"}, []),
        ({"q": "ses_Usual"}, ["Usual"]),
        ({"q": "nothing of the kind"}, []),
    ],
)
def test_filters(cast: Cast, otto: Client, query: dict[str, str], expected: list[str]) -> None:
    session(cast, title="Usual")
    session(cast, title="Other", source="codex", worker_id="w2")
    assert titles(otto, **query) == expected


def test_list_of_one_codebase(cast: Cast, otto: Client) -> None:
    shop = session(cast, "The till.", title="Shop")
    session(cast, "The till.", title="Elsewhere")
    assert titles(otto, codebase=shop.codebase_id) == ["Shop"]
    assert titles(otto, codebase=shop.codebase_id, q="till") == ["Shop"]


def test_search_shows_the_best_first_and_where(cast: Cast, otto: Client) -> None:
    session(cast, "Hello.", "The gazebo, among much else that has nothing to do with it whatsoever.", title="Once")
    best = session(cast, "Nothing.", f"Leaking gazebos {EVIL}: gazebo, gazebo.", title="Often")
    assert titles(otto, q="gazebo leak") == ["Often"]
    assert titles(otto, q="gazebo") == ["Often", "Once"]
    shown = otto.get(reverse(LIST), {"q": "gazebo"}).text
    assert "<mark>gazebo</mark>" in shown
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    assert f"{url_of(best, 'change')}?message=msg_002&amp;q=gazebo" in shown


def test_message_that_was_found_is_on_the_page(cast: Cast, otto: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 2)
    one = session(cast, *(f"word{number}" for number in range(12)))
    assert "word11" in page_of(otto, one)
    assert "word1<" not in page_of(otto, one)
    assert "word1<" in page_of(otto, one, message="msg_002", q="word1")
    assert 'data-at="2"' in page_of(otto, one, message="msg_002")
    assert "word3<" in page_of(otto, one, at=4)
    assert "word11" in page_of(otto, one, message="no such thing", at="x")


def test_parts_together_show_everything_once(cast: Cast, otto: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 2)
    one = session(cast, *(f"word{number}." for number in range(7)))
    asked = [otto.get(url_of(one, "part"), {"number": number}).json() for number in range(4)]
    shown = "".join(part["html"] for part in asked)
    assert [shown.count(f"word{number}.") for number in range(7)] == [1] * 7
    assert otto.get(url_of(one, "part"), {"number": 99}).json()["number"] == 3


@pytest.mark.parametrize("length", [1, 40])
def test_call_and_result_are_one_block(cast: Cast, otto: Client, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """Also where a part's end lies between them."""
    monkeypatch.setattr(parts, "PART", length)
    one = session(cast, {"role": "assistant", "parts": [CALL]}, {"role": "tool", "parts": [RESULT]}, "Done.")
    asked = [otto.get(url_of(one, "part"), {"number": number}).json()["html"] for number in range(-(-3 // length))]
    assert [html.count("till.py") for html in asked] == [1, 0, 0][: len(asked)]
    assert "".join(asked).count("<article") == 2


def test_page_shows_parts_and_what_they_cost(cast: Cast, otto: Client) -> None:
    reasoning = {"type": "reasoning", "id": "p0", "text": "Let me think."}
    answer = {"role": "assistant", "parts": [reasoning, EDIT, {"type": "text", "id": "p9", "text": "**Done**"}],
              "model": "openai/gpt-5", "tokens": {"input": 2000, "output": 30, "cache": {"read": 1500}}, "cost": 0.25,
              "error": {"name": "APIError", "data": {"message": "Too late"}}}  # fmt: skip
    shown = page_of(otto, session(cast, {"role": "user", "content": "# Mend it"}, answer))
    for piece in ("Let me think.", 'class="ct-added">+whole', "<strong>Done</strong>", "<h1>Mend it</h1>",
                  "openai/gpt-5", "$0.25 · 2.0k in · 30 out", "2,000 in, 30 out", "1,500 read from cache",
                  "Failed (APIError)", "Too late"):  # fmt: skip
        assert piece in shown


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text", "text": EVIL},
        {"type": "tool", "tool": EVIL, "state": {"status": "error", "input": EVIL, "error": [EVIL]}},
        {"type": "tool", "tool": 7, "state": EVIL},
        {"type": "file", "filename": EVIL, "mime": 3},
        {"type": "patch", "files": [EVIL, 7, {"path": EVIL}]},
        {"type": EVIL, "what": EVIL},
        {"type": "retry", "error": {"message": EVIL}},
        {"type": "tool_result", "callID": [], "state": None},
    ],
)
def test_whatever_a_program_says_is_shown_and_never_run(cast: Cast, otto: Client, part: dict[str, Any]) -> None:
    shown = page_of(otto, session(cast, {"role": EVIL, "parts": [part], "error": EVIL}, title=EVIL))
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


def test_words_are_found_as_they_stand_and_by_their_stems(cast: Cast, otto: Client) -> None:
    one = session(cast, "He rounded 100% of it.", {"role": "assistant", "parts": [CALL]}, 'Say "ls -l".', "1x0")
    for words, places in (
        ("ROUNDED", [1]),
        ("rounding", [1]),
        ("ls", [2, 3]),
        ("100%", [1]),
        ('"ls', [3]),
        ("1_0", []),
    ):
        hits = otto.get(url_of(one, "search"), {"q": words}).json()["hits"]
        assert [hit["seq"] for hit in hits] == places, words
    assert otto.get(url_of(one, "search"), {"q": "rounding"}).json()["hits"][0]["words"] == ["rounded"]


@pytest.mark.parametrize("page", ["?codebase=%00", "?worker=%00", "{key}/change/?message=%00", "{key}/search/?q=a%00b"])
def test_address_that_no_text_can_have_is_refused(cast: Cast, otto: Client, page: str) -> None:
    assert otto.get(reverse(LIST) + page.format(key=session(cast, "Hello.").pk)).status_code == 400


def test_download_as_json_lines_and_markdown(cast: Cast, otto: Client) -> None:
    one = session(
        cast, {"role": "user", "content": "héllo"}, {"role": "assistant", "parts": [CALL]}, {"parts": [RESULT]}
    )
    lines = [json.loads(line) for line in _file(otto, one, "jsonl").splitlines()]
    assert [(line["id"], line["content"]) for line in lines] == [("msg_001", "héllo"), ("msg_002", ""), ("msg_003", "")]
    assert lines[1]["parts"][0]["tool"] == "bash"
    text = _file(otto, one, "markdown").decode()
    assert text.startswith("# Tuesday\n")
    assert "héllo" in text
    assert text.count("till.py") == 1
    assert otto.get(url_of(one, "messages"), {"as": "pdf"}).status_code == 404


def _file(client: Client, one: AgentSession, form: str) -> bytes:
    answer: Any = client.get(url_of(one, "messages"), {"as": form})
    assert "attachment" in answer["Content-Disposition"]
    content: bytes = answer.getvalue()
    return content


@pytest.mark.parametrize("page", ["change", "part", "search", "messages", "resume"])
def test_session_of_another_workspace_is_not_found(cast: Cast, otto: Client, page: str) -> None:
    far = session(cast.elsewhere(), "Secret gazebo.", title="Far")
    answer = otto.post(url_of(far, page), {"prompt": "x"}) if page == "resume" else otto.get(url_of(far, page))
    assert answer.status_code in ((302, 404) if page == "change" else (404,))  # the admin's own way to say so
    assert titles(otto) == titles(otto, q="gazebo") == []
    assert not Task.objects.exists()


@pytest.mark.parametrize(("verb", "metadata"), [("resume", {}), ("fork", {"fork": True, "forked_from": "ses_Tuesday"})])
def test_resuming_makes_a_task_in_the_session(cast: Cast, otto: Client, verb: str, metadata: dict[str, Any]) -> None:
    one = session(cast, "Hello.")
    said = {"verb": verb, "prompt": "Go on.", "agent_type": "plan", "model": "openai/gpt-5", "priority": "7"}
    answer = otto.post(url_of(one, "resume"), said)
    task = Task.objects.get()
    assert answer["Location"] == reverse("admin:tasks_task_change", args=[task.pk])
    assert (task.prompt, task.agent_type, task.model, task.priority) == ("Go on.", "plan", "openai/gpt-5", 7)
    assert (task.session_id, task.codebase_id, task.created_by) == ("ses_Tuesday", one.codebase_id, "otto")
    assert "worker:w1" in task.requires
    assert metadata.items() <= task.metadata.items()


@pytest.mark.parametrize(
    "said", [{}, {"prompt": "  "}, {"prompt": "x", "priority": "9999"}, {"prompt": "x", "verb": "end"}]
)
def test_what_is_wrong_is_said_and_makes_nothing(cast: Cast, otto: Client, said: dict[str, str]) -> None:
    one = session(cast, "Hello.")
    answer = otto.post(url_of(one, "resume"), {"verb": "resume", **said})
    assert answer["Location"] == url_of(one, "change")
    assert not Task.objects.exists()


def test_viewer_reads_and_may_not_resume(cast: Cast, vera: Client, otto: Client) -> None:
    one = session(cast, "Hello.")
    assert url_of(one, "resume") in page_of(otto, one)
    assert "Hello." in page_of(vera, one)
    assert url_of(one, "resume") not in page_of(vera, one)
    assert vera.post(url_of(one, "resume"), {"verb": "resume", "prompt": "Go on."}).status_code == 403
    assert not Task.objects.exists()


def test_session_and_its_tasks_lead_to_each_other(cast: Cast, otto: Client) -> None:
    one = session(cast, "Hello.")
    task = cast.task("Goes on", codebase_id=one.codebase_id, session_id=one.session_id)
    cast.task("Other", codebase_id=one.codebase_id)
    assert reverse("admin:tasks_task_change", args=[task.pk]) in page_of(otto, one)
    assert url_of(one, "change") in otto.get(reverse("admin:tasks_task_change", args=[task.pk])).text
    listed = otto.get(reverse("admin:tasks_task_changelist"), {"session": one.session_id})
    assert [found.title for found in listed.context["cl"].result_list] == ["Goes on"]


def test_fork_and_its_origin_lead_to_each_other(cast: Cast, otto: Client) -> None:
    old = session(cast, title="Old")
    new = session(cast, title="New", codebase=old.codebase, forked_from=old.session_id)
    assert url_of(new, "change") in page_of(otto, old)
    assert url_of(old, "change") in page_of(otto, new)
