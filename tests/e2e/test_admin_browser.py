"""An operator's day in the console, in a real browser against the real web process.

Nothing may fail on the way: no console error, no answer of 400 or more, no request to another host.
Needs Debian's `chromium`; CODETETHER_SKIP_BROWSER_TESTS=1 leaves these tests out.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

from apps.accounts.models import Membership, User
from apps.accounts.permissions import Role
from tests.e2e.plant import Plant
from tests.factories import Cast

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("CODETETHER_SKIP_BROWSER_TESTS") == "1", reason="CODETETHER_SKIP_BROWSER_TESTS"),
]

PASSWORD = "correct horse"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
DESKTOP, PHONE = {"width": 1360, "height": 860}, {"width": 390, "height": 844}
PATIENCE_MILLISECONDS = 10_000
LISTS = (
    "tasks/task",
    "tasks/queuelimit",
    "codebases/codebase",
    "workers/worker",
    "accounts/apitoken",
    "accounts/membership",
)
ASKED = {
    "question": "May the agent do this? bash: rm -rf old/",
    "options": [{"id": "once", "label": "Allow once"}, {"id": "no", "label": "Refuse"}],
    "call_id": "c1",
}


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    """The running product, with a first admin (whose password is hashed as outside tests)."""
    hashed = PBKDF2PasswordHasher().encode(PASSWORD, "salt-of-tests", iterations=1)
    admin = User.objects.create(username="admin", password=hashed, is_staff=True, is_superuser=True)
    Membership.objects.create(user=admin, workspace=cast.workspace, role=Role.ADMIN)
    with Plant(tmp_path, lease_seconds=60) as running:
        yield running


@pytest.fixture
def browser(plant: Plant) -> Iterator[Browser]:
    """After `plant`, because Django's ORM refuses to work beside the browser's event loop."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("No chromium here: apt-get install chromium, or set CODETETHER_SKIP_BROWSER_TESTS=1.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


class Watched:
    """A signed-in page that remembers what went wrong on it."""

    def __init__(self, browser: Browser, url: str, viewport: Any) -> None:
        self.url = url
        self.wrongs: list[str] = []
        self.page: Page = browser.new_context(viewport=viewport).new_page()
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrongs.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)
        self.open("/admin/")
        self.page.fill("#id_username", "admin")
        self.page.fill("#id_password", PASSWORD)
        self.page.click("#login-form button[type=submit]")
        expect(self.page.get_by_role("heading", name="Overview")).to_be_visible()

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrongs.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.wrongs.append(f"request to elsewhere: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.wrongs.append(f"{response.status} {response.url}")


class WorkerByHand:
    """What a worker daemon would say of one task, when the test wants it said."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.said = 0
        everything = {"worker_id": "w1", "name": "builder-1", "global_codebase_id": "global"}
        plant.post("/v1/opencode/workers/register", everything)
        self.task_id = plant.create("Mend the till")
        held = plant.post("/v1/worker/tasks/claim", {"worker_id": "w1", "task_id": self.task_id})
        self.token = held["task"]["claim_token"]

    def say(self, kind: str, **data: Any) -> None:
        self.said += 1
        event = {"seq": self.said, "kind": kind, "data": data}
        self.plant.post(f"/v1/worker/tasks/{self.task_id}/events", {"claim_token": self.token, "events": [event]})

    def finish(self, result: str) -> None:
        end = {"task_id": self.task_id, "claim_token": self.token, "status": "completed", "result": result}
        self.plant.post("/v1/worker/tasks/release", end)


def test_an_operators_day(plant: Plant, browser: Browser) -> None:
    worker = WorkerByHand(plant)
    watched = Watched(browser, plant.url, DESKTOP)
    follows_a_task_and_answers_its_question(watched, worker)
    answers_on_the_first_page(watched, WorkerByHand(plant))
    plant.create("Something foolish")
    finds_it_by_keyboard(watched, "Something foolish")
    cancels_a_task(watched)
    pauses_the_queue(watched)
    sets_a_limit(watched)
    makes_a_token(watched, plant)
    assert watched.wrongs == []


def follows_a_task_and_answers_its_question(watched: Watched, worker: WorkerByHand) -> None:
    page = watched.page
    page.locator(".ct-row", has_text="Mend the till").first.click()
    expect(page.locator("#task-live")).to_have_text("live")
    worker.say("output", type="text", content="I see: ")
    worker.say("output", type="text", content="a wrong sum.")
    expect(page.locator("#task-log")).to_contain_text("I see: a wrong sum.")
    reads_on_above_while_more_comes(page, worker)
    worker.say("input_required", **ASKED)
    page.get_by_role("button", name="Allow once").click()
    expect(page.locator(".ct-block-message")).to_contain_text("Allow once")
    expect(page.locator("#task-head")).to_contain_text("running")
    worker.finish("Both tests pass.")
    expect(page.locator("#task-result")).to_have_text("Both tests pass.")
    expect(page.locator("#task-head")).to_contain_text("completed")


def reads_on_above_while_more_comes(page: Page, worker: WorkerByHand) -> None:
    for number in range(40):
        worker.say("tool_use", tool="bash", args={}, call_id=f"n{number}", title=f"Step {number}")
    expect(page.locator("#task-log")).to_contain_text("Step 39")
    log = page.locator("#task-log")
    log.evaluate("log => { log.scrollTop = 0 }")
    expect(page.locator("#task-below")).to_have_text("To the end ↓")
    worker.say("output", type="text", content="There it is: **the sum**.")
    expect(page.locator("#task-below")).to_contain_text("new below")
    assert log.evaluate("log => log.scrollTop") == 0
    page.locator("#task-below").click()
    expect(log.locator("strong", has_text="the sum")).to_be_in_viewport()
    page.fill("#task-search input", "step 7")
    page.press("#task-search input", "Enter")
    expect(log.locator(".ct-hit")).to_contain_text("Step 7")
    page.locator("#task-below").click()


def answers_on_the_first_page(watched: Watched, worker: WorkerByHand) -> None:
    page = watched.page
    watched.open("/admin/")
    expect(page.locator("#overview-live")).to_have_text("live")
    worker.say("input_required", **ASKED)
    page.locator(".ct-need").get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("The answer is on its way.")).to_be_visible()
    expect(page.locator(".ct-need")).to_have_count(0)
    worker.finish("Left as it was.")
    expect(page.locator("[data-piece=lately]")).to_contain_text("completed")


def finds_it_by_keyboard(watched: Watched, title: str) -> None:
    page = watched.page
    for key in "gt":
        page.keyboard.press(key)
    page.wait_for_url(f"{watched.url}/admin/tasks/task/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Overview")).to_be_visible()
    page.keyboard.type(title.lower())
    expect(page.get_by_role("option").first).to_contain_text(title)
    page.keyboard.press("Enter")
    expect(page.locator("#task-head")).to_contain_text("pending")


def cancels_a_task(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("link", name="Cancel").click()
    page.fill("#id_reason", "on second thought")
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.get_by_text("The task is cancelled.")).to_be_visible()
    expect(page.locator("#task-log")).to_contain_text("Cancelled by admin")


def pauses_the_queue(watched: Watched) -> None:
    page = watched.page
    watched.open("/admin/")
    page.get_by_text("Pause the workspace’s queue").click()
    page.fill("[name=reason]", "a release")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator(".ct-banner")).to_contain_text("a release")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("The queue is resumed.")).to_be_visible()
    expect(page.locator(".ct-banner")).to_have_count(0)


def sets_a_limit(watched: Watched) -> None:
    page = watched.page
    watched.open("/admin/tasks/queuelimit/")
    page.get_by_role("link", name="Set a limit").click()
    page.select_option("#id_where", label="The whole workspace")
    page.fill("#id_most", "3")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_text("At most 3 at once now.")).to_be_visible()
    expect(page.locator("#result_list")).to_contain_text("0 of 3")


def makes_a_token(watched: Watched, plant: Plant) -> None:
    page = watched.page
    watched.open("/admin/accounts/apitoken/add/")
    page.fill("#id_name", "ci")
    page.get_by_role("button", name="Save", exact=True).click()
    secret = page.locator("#secret").inner_text()
    answer = plant.http.get("/v1/opencode/tasks", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


def test_lists_and_pages_fit_a_phone(plant: Plant, browser: Browser) -> None:
    worker = WorkerByHand(plant)
    worker.say("tool_use", tool="bash", args={"command": "x" * 300}, call_id="c1", title="y" * 300)
    worker.say("file_change", action="modified", path="a/" * 120 + "till.py", diff="+" + "z" * 400)
    watched = Watched(browser, plant.url, PHONE)
    for path in ("", *(f"{pages}/" for pages in LISTS), f"tasks/task/{worker.task_id}/change/"):
        watched.open(f"/admin/{path}")
        wide = watched.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], f"{path} is {wide} pixels wide"
    assert watched.wrongs == []
