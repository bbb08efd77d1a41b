"""The console as an app, in a real browser: it can be installed, tells its person what needs them, and has a page for
the time without a network.

Only the makers' push services are not here: what the page subscribes with is made up, and what the server sends to it
is taken by a receiver on loopback, decrypted, and handed to the service worker as its push service would.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from apps.accounts.models import Membership, User
from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.notifications.delivery import deliver_due
from apps.notifications.models import PushSubscription
from apps.tasks.services import outbox_dispatch
from codetether.celery import app as celery
from tests.browsing.chromium import FLAGS, IN_A_BROWSER, PATIENCE_MILLISECONDS, PHONE, program
from tests.e2e.plant import Plant
from tests.factories import Cast
from tests.fakes.push_service import Device, encoded
from tests.fakes.webhook import receiving

pytestmark = IN_A_BROWSER

PASSWORD = "correct horse"
DELIVERIES = 4
MADE_UP = """
self.asked = 0;
const ask = Notification.requestPermission;
Notification.requestPermission = () => { self.asked += 1; return ask.call(Notification); };
const kept = () => {
    const said = JSON.parse(localStorage.getItem("made-up"));
    return said && {
        endpoint: said.endpoint, options: { applicationServerKey: Uint8Array.from(said.key).buffer },
        toJSON: () => said, unsubscribe: async () => { localStorage.removeItem("made-up"); return true; },
    };
};
PushManager.prototype.getSubscription = async () => kept();
PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    localStorage.setItem("made-up", JSON.stringify({ ...SAID, key: Array.from(applicationServerKey) }));
    return kept();
};
"""
"""Instead of the browser's maker's push service; everything else is the browser's own."""

SHOWN = """async (number) => {
    const worker = await navigator.serviceWorker.ready;
    for (let round = 0; round < 60; round += 1) {
        const found = await worker.getNotifications();
        if (found.length === number) return found.map((one) => [one.title, one.body, one.tag, one.data.url]);
        await new Promise((next) => setTimeout(next, 50));
    }
    return "not within three seconds";
}"""
"""The notifications on the screen, as soon as there are so many."""


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    """The running product, with an operator (whose password is hashed as outside tests)."""
    hashed = PBKDF2PasswordHasher().encode(PASSWORD, "salt-of-tests", iterations=1)
    olga = User.objects.create(username="olga", password=hashed, is_staff=True)
    Membership.objects.create(user=olga, workspace=cast.workspace, role=Role.OPERATOR)
    home = tmp_path / "plant"  # whose logs are told when a test fails; a browser's are none
    home.mkdir()
    with Plant(home, lease_seconds=60, A2A_OUTBOUND_ALLOWED="127.0.0.1") as running:
        yield running


@pytest.fixture
def device() -> Device:
    return Device("http://127.0.0.1:9/push/phone")


@pytest.fixture
def app(plant: Plant, device: Device, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser that remembers: others have neither service workers that stay nor notifications."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=program(), args=FLAGS, viewport=PHONE, permissions=["notifications"]
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.add_init_script(MADE_UP.replace("SAID", json.dumps(device.said)))
        yield context
        context.close()


def beside[T](work: Callable[[], T]) -> T:
    """Done on another thread: Django's ORM refuses to work beside the browser's event loop."""

    def act() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(act).result()


def test_the_app_is_installed_told_and_left(
    plant: Plant, app: BrowserContext, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts_for(plant, monkeypatch)
    wrongs: list[str] = []
    page = app.pages[0]
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on("console", lambda said: note(said, wrongs))
    signs_in(page, plant)
    can_be_installed(app, page)
    turns_notifications_on(page, plant, device)
    stays_told_under_another_address(page, device)
    task_id = is_told_of_a_question(app, page, plant, device)
    page.goto(f"{plant.url}/admin/tasks/task/{task_id}/change/")
    assert page.evaluate(SHOWN, 0) == []
    assert wrongs == []
    sees_a_page_without_a_network(app, page, plant)
    is_told_no_more_when_signed_out(page, plant)


def acts_for(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Celery would do is done here, with the keys of the product that runs."""
    secrets = json.loads((plant.home / "data" / "secrets.json").read_text())
    monkeypatch.setattr(settings, "SECRET_KEY", secrets["secret_key"])
    monkeypatch.setattr(settings, "VAPID_KEY", secrets["vapid_key"])
    monkeypatch.setattr(settings, "OUTBOUND_ALLOWED", ["127.0.0.1"])
    celery.set_default()  # whose broker takes what nobody here will do


def note(said: ConsoleMessage, wrongs: list[str]) -> None:
    if said.type == "error":
        wrongs.append(said.text)


def signs_in(page: Page, plant: Plant) -> None:
    page.goto(f"{plant.url}/admin/")
    page.fill("#id_username", "olga")
    page.fill("#id_password", PASSWORD)
    page.click("#login-form button[type=submit]")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def can_be_installed(app: BrowserContext, page: Page) -> None:
    worker = page.evaluate("navigator.serviceWorker.ready.then((one) => [one.scope, one.active.scriptURL])")
    assert [address.partition("/admin/")[2] for address in worker] == ["", "sw.js"]
    browser = app.new_cdp_session(page)
    assert browser.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    manifest = browser.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert json.loads(manifest["data"])["display"] == "standalone"
    expect(page.locator("[data-installs]")).to_be_visible()


def turns_notifications_on(page: Page, plant: Plant, device: Device) -> None:
    page.goto(f"{plant.url}/admin/push/")
    expect(page.locator("#device-state")).to_have_text("off")
    assert page.evaluate("self.asked") == 0
    with page.expect_navigation():
        page.get_by_role("button", name="Turn on for this device").click()
    expect(page.locator("#device-state")).to_have_text("on")
    expect(page.locator(".ct-device").get_by_text("this device")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    key = page.evaluate("JSON.parse(localStorage.getItem('made-up')).key")
    assert encoded(bytes(key)) == page.locator("#devices").get_attribute("data-key")


def stays_told_under_another_address(page: Page, device: Device) -> None:
    """Browsers change their subscription at times; the old one is gone then."""
    before, device.endpoint = device.endpoint, f"{device.endpoint}/anew"
    changed = "at => localStorage.setItem('made-up', localStorage.getItem('made-up').replace(...at))"
    page.evaluate(changed, [before, device.endpoint])
    with page.expect_response("**/push/subscribe/"):
        page.reload()
    assert beside(lambda: PushSubscription.objects.filter(endpoint=device.endpoint).count()) == 1
    beside(lambda: PushSubscription.objects.filter(endpoint=before).delete())


def is_told_of_a_question(app: BrowserContext, page: Page, plant: Plant, device: Device) -> str:
    """From the worker's question to the notification on the screen; the task's id."""
    key = page.locator("#devices").get_attribute("data-key") or ""
    everything = {"worker_id": "w1", "name": "builder-1", "global_codebase_id": "global"}
    plant.post("/v1/opencode/workers/register", everything)
    task_id = plant.create("Mend the till")
    held = plant.post("/v1/worker/tasks/claim", {"worker_id": "w1", "task_id": task_id})
    asked = {"seq": 1, "kind": "input_required", "data": {"question": "May I?"}}
    claim = {"claim_token": held["task"]["claim_token"], "events": [asked]}
    plant.post(f"/v1/worker/tasks/{task_id}/events", claim)
    message = beside(lambda: asyncio.run(sent_to(device, key)))
    assert message["url"] == f"/admin/tasks/task/{task_id}/change/"
    shown = hand_over(app, page, plant, json.dumps(message))
    assert shown == [["Asks: Mend the till", "May I?", task_id, message["url"]]]
    return task_id


async def sent_to(device: Device, key: str) -> dict[str, Any]:
    """What Celery does, and what comes to the device of it."""
    at_home = device.endpoint
    async with receiving() as service:
        await in_database(moves, device, service.url("/push/phone/anew"))
        await in_database(outbox_dispatch)
        await deliver_due()
        (call,) = service.calls
        assert device.proof(call)["key"] == key
        await in_database(moves, device, at_home)
        return device.read(call)


def moves(device: Device, endpoint: str) -> None:
    PushSubscription.objects.filter(endpoint=device.endpoint).update(endpoint=endpoint)
    device.endpoint = endpoint


def hand_over(app: BrowserContext, page: Page, plant: Plant, data: str) -> Any:
    """As the push service does with what it got, which sends again what the browser has not taken; what is shown."""
    browser = app.new_cdp_session(page)
    found: list[str] = []
    browser.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(one["registrationId"] for one in event["registrations"]),
    )
    browser.send("ServiceWorker.enable")
    while not found:
        page.wait_for_timeout(20)
    to = {"origin": plant.url, "registrationId": found[0]}
    for _ in range(DELIVERIES):
        browser.send("ServiceWorker.deliverPushMessage", {**to, "data": data})
        if isinstance(shown := page.evaluate(SHOWN, 1), list):
            break
    return shown


def sees_a_page_without_a_network(app: BrowserContext, page: Page, plant: Plant) -> None:
    app.set_offline(True)
    page.goto(f"{plant.url}/admin/tasks/task/")
    expect(page.get_by_role("heading", name="CodeTether cannot be reached")).to_be_visible()
    assert page.locator("main").evaluate("main => getComputedStyle(main).borderRadius") == "12px"
    kept = page.evaluate("caches.keys().then((names) => caches.open(names[0])).then((one) => one.keys())"
                         ".then((all) => all.map((one) => new URL(one.url).pathname))")  # fmt: skip
    assert all(address.startswith("/static/codetether/") for address in kept)
    app.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")  # as outside emulation browsers say by themselves
    expect(page.locator("#changelist")).to_be_visible()


def is_told_no_more_when_signed_out(page: Page, plant: Plant) -> None:
    page.locator("#logout-form button").evaluate("button => button.click()")
    page.wait_for_url("**/admin/logout/")
    assert page.evaluate("localStorage.getItem('made-up')") is None
    assert beside(PushSubscription.objects.count) == 0
