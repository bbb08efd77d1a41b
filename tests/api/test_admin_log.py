"""The log on a task's page: parts of it, what is new, words in it, and all of it as a file."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.permissions import Role
from apps.tasks.admin import logpages, parts
from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.services import task_progress
from tests.factories import Cast

Said = tuple[str, dict[str, Any]]
USE: Said = ("tool_use", {"tool": "bash", "args": {"command": "ls"}, "call_id": "c1"})
RESULT: Said = ("tool_result", {"call_id": "c1", "status": "completed", "output": "till.py"})


def text(content: str) -> Said:
    return "output", {"content": content}


@pytest.fixture
def otto(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.user("otto", Role.OPERATOR, is_staff=True))
    return client


@pytest.fixture
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two events a part: created and claimed are the first."""
    monkeypatch.setattr(parts, "PART", 2)
    monkeypatch.setattr(logpages, "PART", 2)


def reports(cast: Cast, *said: Said) -> Task:
    """A running task whose worker has said so much."""
    events = [from_worker(kind, data) for kind, data in said]
    return task_progress(claim=cast.held(), reported=events, seqs=list(range(1, len(events) + 1)))


def page_of(client: Client, task: Task, **query: str | int) -> str:
    return client.get(reverse("admin:tasks_task_change", args=[task.pk]), query).text


def asked(client: Client, name: str, task: Task, **query: str | int) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(reverse(f"admin:tasks_task_{name}", args=[task.pk]), query).json()
    return answer


@pytest.mark.parametrize(
    "evil",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert)", "![x](http://there/a.png)"],
)
def test_what_an_agent_says_cannot_run_in_the_page_nor_fetch(cast: Cast, otto: Client, evil: str) -> None:
    task = reports(cast, text(evil), ("output", {"type": "reasoning", "content": evil}))
    for shown in (page_of(otto, task), asked(otto, "tail", task, after=0)["parts"][0]["html"]):
        for live in ("<script>alert", "<img src=x", 'href="javascript', '<img src="http'):
            assert live not in shown


def test_markdown_is_rendered(cast: Cast, otto: Client) -> None:
    task = reports(cast, text("# Plan\n\n- **first**\n\n| a |\n|---|\n| 1 |\n\n[docs](https://example.org)"))
    shown = page_of(otto, task)
    for piece in ("<h1>Plan</h1>", "<strong>first</strong>", "<td>1</td>", 'rel="noopener noreferrer nofollow"'):
        assert piece in shown


def test_tail_gives_what_came_after(cast: Cast, otto: Client) -> None:
    task = reports(cast, text("first"), text("second"))
    tail = asked(otto, "tail", task, after=3)
    assert "firstsecond" in tail["parts"][0]["html"]
    assert (tail["last_seq"], tail["live"], tail["state"]) == (4, True, "running")
    assert asked(otto, "tail", task, after=4)["parts"] == []


@pytest.mark.parametrize("after", ["-1", "x", "9" * 40, "\u0663", ""])
def test_nonsense_place_in_the_log_is_its_end(cast: Cast, otto: Client, after: str) -> None:
    assert asked(otto, "tail", cast.task(), after=after)["last_seq"] == 1


@pytest.mark.usefixtures("short_parts")
def test_page_comes_with_the_last_parts_or_those_asked_for(
    cast: Cast, otto: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = reports(cast, *(text(f"word{number} ") for number in range(8)))
    assert "word5" in page_of(otto, task)
    assert "word0" not in page_of(otto, task)
    assert "word0" in page_of(otto, task, at=3)
    assert "word7" not in page_of(otto, task, at=3)
    monkeypatch.setattr(logpages, "ENOUGH", 2)
    assert "word5" not in page_of(otto, task)


@pytest.mark.usefixtures("short_parts")
def test_parts_together_show_everything_once(cast: Cast, otto: Client) -> None:
    task = reports(cast, *(text(f"word{number} ") for number in range(7)))
    shown = "".join(asked(otto, "part", task, number=number)["html"] for number in range(6))
    assert [shown.count(f"word{number}") for number in range(7)] == [1] * 7


@pytest.mark.usefixtures("short_parts")
def test_call_and_result_in_two_parts_are_one_block(cast: Cast, otto: Client) -> None:
    task = reports(cast, text("before"), USE, RESULT, text("after"))
    assert "till.py" in asked(otto, "part", task, number=1)["html"]
    assert "till.py" not in asked(otto, "part", task, number=2)["html"]


@pytest.mark.usefixtures("short_parts")
def test_tail_brings_the_call_that_a_new_result_completes(cast: Cast, otto: Client) -> None:
    task = reports(cast, text("before"), USE, RESULT)
    assert [part["number"] for part in asked(otto, "tail", task, after=4)["parts"]] == [1, 2]


def test_part_beyond_the_end_is_empty(cast: Cast, otto: Client) -> None:
    assert asked(otto, "part", cast.task(), number=10**9)["html"].strip() == ""


def test_stream_is_offered_in_each_of_ones_workspaces_and_to_superusers_in_none_else(cast: Cast, otto: Client) -> None:
    far = cast.elsewhere()
    far.workspace.memberships.create(user_id=otto.session["_auth_user_id"], role=Role.VIEWER)
    for place in (cast, far):
        assert f"/output/stream?workspace={place.workspace.id}" in page_of(otto, place.task())
    User.objects.filter(pk=otto.session["_auth_user_id"]).update(is_superuser=True)
    assert "/output/stream" not in page_of(otto, cast.elsewhere().task())


@pytest.mark.parametrize(
    ("words", "seqs"),
    [
        ("TILL.PY", [5]),
        ('say "yes"', [3]),
        ("100%", [3]),
        ("1_0", []),
        ("line\nbreak", [3]),
        ("  ", []),
        ("output", []),
    ],
)
def test_words_are_found_in_what_was_said(cast: Cast, otto: Client, words: str, seqs: list[int]) -> None:
    task = reports(cast, text('He may say "yes" 100% of the time.\nA line\nbreak.'), USE, RESULT)
    assert [hit["seq"] for hit in asked(otto, "search", task, q=words)["hits"]] == seqs


def test_log_as_json_lines_is_the_log(cast: Cast, otto: Client) -> None:
    task = reports(cast, text("héllo"), USE)
    answer: Any = otto.get(reverse("admin:tasks_task_log", args=[task.pk]), {"as": "jsonl"})
    lines = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert [line["kind"] for line in lines] == ["created", "claimed", "output", "tool_use"]
    assert lines[2]["data"]["content"] == "héllo"
    assert "attachment" in answer["Content-Disposition"]


def test_log_as_markdown_cannot_be_broken_out_of(cast: Cast, otto: Client) -> None:
    task = reports(cast, ("output", {"type": "stdout", "content": "```\n# no heading"}))
    answer: Any = otto.get(reverse("admin:tasks_task_log", args=[task.pk]), {"as": "markdown"})
    assert b"````\n```\n# no heading\n````" in answer.getvalue()


def test_log_in_no_known_form_is_not_found(cast: Cast, otto: Client) -> None:
    assert otto.get(reverse("admin:tasks_task_log", args=[cast.task().pk]), {"as": "pdf"}).status_code == 404


@pytest.mark.parametrize("name", ["tail", "part", "search", "log"])
def test_log_of_another_workspace_is_not_found(cast: Cast, otto: Client, name: str) -> None:
    far = cast.elsewhere().task()
    assert otto.get(reverse(f"admin:tasks_task_{name}", args=[far.pk])).status_code == 404


def test_page_lists_what_was_made_and_changed(cast: Cast, otto: Client) -> None:
    facts = {"files": [{"path": "till.py", "insertions": 3, "deletions": 1}]}
    diff = {"text": "+a new line", "media_type": "text/x-diff"}
    made = ("artifact", {"artifact_id": "changes", "name": "Changes", "parts": [diff, {"data": facts}]})
    shown = page_of(otto, reports(cast, ("file_change", {"action": "created", "path": "new.py"}), made))
    for piece in ("Changed files", "new.py", "till.py", "+3", "Artifacts", 'class="ct-added">+a new line'):
        assert piece in shown
