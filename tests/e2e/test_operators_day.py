"""An operator's day in the console, in a real browser against the real web process, at a desk and by phone.

Nothing may go wrong on the way: no console error, no answer of 400 or more, no request to another host. The worker is
the test itself, which speaks the worker protocol. That the console is installed, and told of news when it is closed,
is in tests/notifications.
"""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.sessions.search import search_update
from tests.browsing.chromium import DESKTOP, IN_A_BROWSER, PHONE, Watched, aside
from tests.browsing.hand import Face, Hand
from tests.e2e.conftest import PASSWORD
from tests.e2e.plant import Plant

pytestmark = IN_A_BROWSER

SIZES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE, "is_mobile": True, "has_touch": True},
}
ASKED = {
    "question": "May the agent do this? bash: rm -rf old/",
    "options": [{"id": "once", "label": "Allow once"}, {"id": "no", "label": "Refuse"}],
    "call_id": "c1",
}
SAID = [
    {"id": "msg_1", "role": "user", "content": "Why is the gazebo drawn twice?", "created_at": "2026-01-02T03:04:06Z"},
    {"id": "msg_2", "role": "assistant", "content": "Two layers hold it.", "created_at": "2026-01-02T03:04:16Z"},
]


def test_an_operators_day(plant: Plant, browser: Browser, subtests: pytest.Subtests) -> None:
    face = Face(plant.http)
    face.register("w1", "builder-1", models=[{"id": "a/b", "name": "b", "provider": "a"}])
    for size, screen in SIZES.items():
        with subtests.test(size=size):
            watched = Watched(browser, plant.url, **screen)
            watched.sign_in("admin", PASSWORD)
            works_through_the_day(watched, face)
            if size == "desk":
                settles_the_workspace(watched, face)
            assert watched.wrongs == []


def works_through_the_day(watched: Watched, face: Face) -> None:
    follows_a_task_and_answers_its_question(watched, held(face, "Mend the till"))
    answers_on_the_first_page(watched, held(face, "Paint the shed"))
    cancels_a_task(watched, face.create("Something foolish"))
    has_what_failed_tried_again(watched, face)
    finds_an_old_session_and_resumes_it(watched, face)
    drains_a_worker(watched)


def held(face: Face, title: str) -> Hand:
    return face.take(face.create(title), "w1")


def follows_a_task_and_answers_its_question(watched: Watched, hand: Hand) -> None:
    page = watched.page
    watched.open("/admin/")
    page.locator(".ct-row", has_text="Mend the till").first.click()
    expect(page.locator("#task-live")).to_have_text("live")
    hand.say("output", type="text", content="I see: ")
    hand.say("output", type="text", content="a wrong sum.")
    expect(page.locator("#task-log")).to_contain_text("I see: a wrong sum.")
    reads_on_above_while_more_comes(page, hand)
    hand.say("input_required", **ASKED)
    page.get_by_role("button", name="Allow once").click()
    expect(page.locator(".ct-block-message")).to_contain_text("Allow once")
    expect(page.locator("#task-head")).to_contain_text("running")
    hand.finish("Both tests pass.")
    expect(page.locator("#task-result")).to_have_text("Both tests pass.")
    expect(page.locator("#task-head")).to_contain_text("completed")


def reads_on_above_while_more_comes(page: Page, hand: Hand) -> None:
    steps = [{"tool": "bash", "args": {}, "call_id": f"n{number}", "title": f"Step {number}"} for number in range(40)]
    hand.say_all(*(("tool_use", step) for step in steps))
    expect(page.locator("#task-log")).to_contain_text("Step 39")
    log = page.locator("#task-log")
    log.evaluate("log => { log.scrollTop = 0 }")
    expect(page.locator("#task-below")).to_have_text("To the end ↓")
    hand.say("output", type="text", content="There it is: **the sum**.")
    expect(page.locator("#task-below")).to_contain_text("new below")
    assert log.evaluate("log => log.scrollTop") == 0
    page.locator("#task-below").click()
    expect(log.locator("strong", has_text="the sum")).to_be_in_viewport()
    page.fill("#task-search input", "step 7")
    page.press("#task-search input", "Enter")
    expect(log.locator(".ct-hit")).to_contain_text("Step 7")
    page.locator("#task-below").click()


def answers_on_the_first_page(watched: Watched, hand: Hand) -> None:
    page = watched.page
    watched.open("/admin/")
    expect(page.locator("#overview-live")).to_have_text("live")
    hand.say("input_required", **ASKED)
    need = page.locator(".ct-need", has_text="Paint the shed")
    need.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("The answer is on its way.")).to_be_visible()
    expect(need).to_have_count(0)
    hand.finish("Left as it was.")
    expect(page.locator("[data-piece=lately] .ct-row", has_text="completed").first).to_contain_text("Paint the shed")


def cancels_a_task(watched: Watched, task_id: str) -> None:
    page = watched.page
    watched.open(f"/admin/tasks/task/{task_id}/change/")
    watched.act("Cancel")
    page.fill("#id_reason", "on second thought")
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.get_by_text("The task is cancelled.")).to_be_visible()
    expect(page.locator("#task-log")).to_contain_text("Cancelled by admin")


def has_what_failed_tried_again(watched: Watched, face: Face) -> None:
    page = watched.page
    for title in ("Sweep the yard", "Sweep the roof"):
        held(face, title).finish(status="failed", error="no broom")
    watched.open("/admin/tasks/task/?state=failed")
    page.locator("#action-toggle").check()
    page.select_option("select[name=action]", "resume_selected")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name=re.compile(r"Resume \d tasks")).click()
    expect(page.get_by_text("tasks are gone on with in a new task.")).to_be_visible()
    watched.open("/admin/tasks/task/?state=pending")
    expect(page.locator("#result_list")).to_contain_text("Sweep the yard")
    for row in face.http.get("/v1/opencode/tasks?status=pending").json()["tasks"]:
        face.take(row["id"], "w1").finish("Swept.")


def finds_an_old_session_and_resumes_it(watched: Watched, face: Face) -> None:
    page = watched.page
    codebase = face.post("/v1/opencode/codebases", name="garden", path="/code/garden", worker_id="w1")["codebase"]
    told = {"worker_id": "w1", "source": "opencode", "session": {"title": "Layers"}, "messages": SAID}
    face.post(f"/v1/opencode/codebases/{codebase['id']}/sessions/ses_1/ingest", **told)
    aside(search_update)  # as a job of Celery's does
    watched.open("/admin/agent_sessions/agentsession/?q=gazebo")
    page.locator(".ct-snippet", has_text="gazebo").click()
    expect(page.locator("#session-log")).to_contain_text("Two layers hold it.")
    page.fill("#resume-prompt", "Draw it once.")
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator("#task-head")).to_contain_text("ses_1")
    expect(page.locator("#task-log")).to_contain_text("Draw it once.")
    task_id = page.url.split("/")[-3]
    watched.open("/admin/")  # a task's page loads itself anew when the task ends
    face.post(f"/v1/opencode/tasks/{task_id}/cancel")


def drains_a_worker(watched: Watched) -> None:
    page = watched.page
    watched.open("/admin/workers/worker/")
    page.locator("#result_list").get_by_role("link", name="builder-1").click()
    for verb, told in (("Drain", "It takes nothing new from now on."), ("Take work again", "It takes work again.")):
        watched.act(verb)
        page.locator("#modal-content").get_by_role("button", name=verb).click()
        expect(page.get_by_text(told, exact=True)).to_be_visible()


def settles_the_workspace(watched: Watched, face: Face) -> None:
    finds_a_task_by_keyboard(watched, face)
    pauses_the_queue(watched)
    sets_a_limit(watched)
    makes_a_token(watched, face)


def finds_a_task_by_keyboard(watched: Watched, face: Face) -> None:
    page = watched.page
    task_id = face.create("Something wise")
    for key in "gt":
        page.keyboard.press(key)
    page.wait_for_url(f"{watched.url}/admin/tasks/task/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Overview")).to_be_visible()
    page.keyboard.type("something wise")
    expect(page.get_by_role("option").first).to_contain_text("Something wise")
    page.keyboard.press("Enter")
    expect(page.locator("#task-head")).to_contain_text("pending")
    face.take(task_id, "w1").finish("Done.")
    expect(page.locator("#task-result")).to_have_text("Done.")


def pauses_the_queue(watched: Watched) -> None:
    page = watched.page
    watched.open("/admin/")
    page.get_by_text("Pause the workspace’s queue").click()
    page.fill("[name=reason]", "a release")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator(".ct-banner")).to_contain_text("a release")
    page.locator(".ct-banner").get_by_role("button", name="Resume").click()
    expect(page.get_by_text("The queue is resumed.")).to_be_visible()
    expect(page.locator(".ct-banner")).to_have_count(0)


def sets_a_limit(watched: Watched) -> None:
    page = watched.page
    watched.open("/admin/tasks/queuelimit/")
    watched.act("Set a limit")
    page.select_option("#id_where", label="The whole workspace")
    page.fill("#id_most", "3")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_text("At most 3 at once now.")).to_be_visible()
    expect(page.locator("#result_list")).to_contain_text("0 of 3")


def makes_a_token(watched: Watched, face: Face) -> None:
    page = watched.page
    watched.open("/admin/accounts/apitoken/add/")
    page.fill("#id_name", "ci")
    page.get_by_role("button", name="Save", exact=True).click()
    secret = page.locator("#secret").inner_text()
    answer = face.http.get("/v1/opencode/tasks", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
