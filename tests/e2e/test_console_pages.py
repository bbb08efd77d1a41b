"""Every page of the console in a browser: usable by everybody, on a phone as well, and nothing goes wrong on it.

The pages come from the admin's registry and the URL configuration (tests/browsing/addresses.py). Each is opened once,
by day on a desktop; then it is made dark, and as narrow as a phone. All of them together take minutes; otherwise
what the console makes for every model in one way is looked at once.
"""

import re

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect

from apps.accounts.models import User, Workspace
from apps.accounts.permissions import Role
from apps.tasks.models import Task
from apps.workers.seeding import demo_seed
from tests.browsing.addresses import change_page, one_of_each, pages
from tests.browsing.axe import grave_faults
from tests.browsing.chromium import DESKTOP, IN_A_BROWSER, PHONE, Watched, aside
from tests.browsing.hand import Face
from tests.browsing.stage import Stage, set_stage
from tests.e2e.conftest import PASSWORD, hashed
from tests.e2e.plant import Plant
from tests.factories import Cast

pytestmark = [*IN_A_BROWSER, pytest.mark.timeout(600)]

SEEDED_TASKS = 60
CONTRAST = "color-contrast"
OPENERS = "[hx-target='#modal-content']"
DIALOG = "#modal-content"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
TOO_WIDE = """most => {
    const wide = document.documentElement.scrollWidth;
    if (wide <= most) return [];
    const over = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > most + 1);
    return [`${wide} pixels wide: ` + over.slice(-2).map((one) => one.outerHTML.slice(0, 120)).join(" and ")];
}"""


class Looked:
    """What was found on all pages so far, and which dialogs have been open."""

    def __init__(self, watched: Watched, dialogs: set[str]) -> None:
        self.watched = watched
        self.page: Page = watched.page
        self.dialogs = dialogs
        self.faults: list[str] = []

    @property
    def found(self) -> list[str]:
        return [*self.faults, *self.watched.wrongs]

    def at(self, address: str, *, awaits: int = 200) -> None:
        """One page in all its looks, and its dialogs where none of their kind has been open before."""
        self.watched.open(address, awaits=awaits)
        self.here(address)
        for opener in self.page.locator(OPENERS).all():
            kind = ID.sub("", opener.get_attribute("hx-get") or "")
            if kind not in self.dialogs and opener.is_visible():
                self.dialogs.add(kind)
                self._dialog(kind, opener)

    def here(self, name: str, part: str = "") -> None:
        """The page as it is, or the part of it that a selector names."""
        self._note(name, "light", grave_faults(self.page, part))
        self._set_dark(True)
        self._note(name, "dark", grave_faults(self.page, part, CONTRAST))
        self._set_dark(False)
        self.page.set_viewport_size(PHONE)
        self._note(name, "phone", self.page.evaluate(TOO_WIDE, PHONE["width"]))
        self.page.set_viewport_size(DESKTOP)

    def _dialog(self, name: str, opener: Locator) -> None:
        opener.click()
        dialog = self.page.locator(f"{DIALOG} #dialog")
        expect(dialog).to_be_visible()
        self.here(name, DIALOG)
        self.page.keyboard.press("Escape")
        expect(dialog).not_to_be_visible()

    def _set_dark(self, is_dark: bool) -> None:
        self.page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", is_dark)

    def _note(self, name: str, look: str, faults: list[str]) -> None:
        self.faults += [f"{name} ({look}): {fault}" for fault in faults]


@pytest.fixture
def stage(plant: Plant, cast: Cast) -> Stage:
    """Something for each page to show."""
    demo_seed(tasks=SEEDED_TASKS, seed=1)
    Workspace.objects.create(slug="empty", name="Empty")
    cast.user("vic", Role.VIEWER, is_staff=True)
    User.objects.create(username="newcomer", is_staff=True)
    User.objects.update(password=hashed(PASSWORD))
    return set_stage(Face(plant.http))


@pytest.fixture
def addresses(stage: Stage, admin: User) -> list[str]:
    """Where the pages are for the first admin."""
    client = Client()
    client.force_login(admin)
    return [*pages(client), *(change_page(Task(pk=task_id)) for task_id in stage.tasks.values())]


@pytest.mark.minutes
def test_every_page_is_usable_and_sound(plant: Plant, addresses: list[str], stage: Stage, browser: Browser) -> None:
    walk(plant, addresses, stage, browser)


def test_every_kind_of_page_is_usable_and_sound(
    plant: Plant, addresses: list[str], stage: Stage, browser: Browser
) -> None:
    walk(plant, one_of_each(addresses), stage, browser)


def walk(plant: Plant, addresses: list[str], stage: Stage, browser: Browser) -> None:
    dialogs: set[str] = set()
    seen = [Looked(Watched(browser, plant.url, DESKTOP, has_axe=True), dialogs) for _ in range(3)]
    admins, viewers, newcomers = seen
    sees_all(admins, addresses)
    opens_what_is_folded(admins)
    sees_without_buttons(viewers, change_page(Task(pk=stage.asking.task_id)))
    is_sent_away(newcomers)
    found = [fault for looked in seen for fault in looked.found]
    assert not found, "\n".join(found)


def sees_all(looked: Looked, addresses: list[str]) -> None:
    looked.at("/admin/login/")
    looked.watched.sign_in("admin", PASSWORD)
    for address in addresses:
        looked.at(address)
    looked.at("/admin/?workspace=empty")
    looked.at("/admin/tasks/task/?q=gazpacho")
    looked.at("/admin/nothing/here/", awaits=404)


def opens_what_is_folded(looked: Looked) -> None:
    """Filters, and the search over everything."""
    page = looked.page
    looked.watched.open("/admin/tasks/task/")
    page.keyboard.press("f")
    looked.here("filters")
    looked.watched.open("/admin/tasks/task/")
    page.keyboard.press("Control+k")
    page.fill("#search-input-command", "till")
    expect(page.locator("#command-results-list li").first).to_be_visible()
    looked.here("search over everything")


def sees_without_buttons(looked: Looked, task_page: str) -> None:
    """A viewer's pages, and a page that is not for viewers."""
    looked.watched.sign_in("vic", PASSWORD)
    looked.at("/admin/")
    looked.at(task_page)
    looked.at("/admin/accounts/apitoken/", awaits=403)


def is_sent_away(looked: Looked) -> None:
    """Somebody who is in no workspace, and then may not use the console any more."""
    looked.watched.open("/admin/")
    looked.page.fill("#id_username", "newcomer")
    looked.page.fill("#id_password", "wrong")
    looked.page.click("#login-form button[type=submit]")
    looked.here("wrong password")
    looked.watched.sign_in("newcomer", PASSWORD)
    looked.at("/admin/")
    aside(lambda: User.objects.filter(username="newcomer").update(is_staff=False))
    looked.at("/admin/", awaits=403)
