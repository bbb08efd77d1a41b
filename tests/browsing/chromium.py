"""Debian's Chromium for tests, and windows that remember what went wrong in them.

CODETETHER_SKIP_BROWSER_TESTS=1 leaves the tests out that need it.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browsing.axe import source

SKIP_VARIABLE = "CODETETHER_SKIP_BROWSER_TESTS"
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get(SKIP_VARIABLE) == "1", reason=SKIP_VARIABLE),
]
"""What a module of browser tests is marked with."""

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
DESKTOP, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
PATIENCE_MILLISECONDS = 10_000


class NoChromiumError(AssertionError):
    """There is no browser here."""


def program() -> str:
    """The browser's path. NoChromiumError where it is not installed."""
    found = shutil.which("chromium")
    if found is None:
        raise NoChromiumError(f"No chromium here: apt-get install chromium, or set {SKIP_VARIABLE}=1.")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. As long as it runs, Django's ORM refuses to work in this thread: there is an event loop in it."""
    path = program()
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


def aside[T](act: Callable[[], T]) -> T:
    """Have another thread do what Django's ORM refuses to do beside a browser."""

    def acted() -> T:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(acted).result()


class Watched:
    """A browser's window at the product, which remembers what went wrong in it.

    Wrong are errors in the console (so violations of the content security policy), what no code caught, requests to
    another host or without an answer, and answers of 400 or more, except with the status that a page was opened for.
    """

    def __init__(self, browser: Browser, url: str, viewport: Any, *, has_axe: bool = False, **context: Any) -> None:
        self.url = url
        self.wrongs: list[str] = []
        self.awaited = 200
        self.context: BrowserContext = browser.new_context(viewport=viewport, reduced_motion="reduce", **context)
        if has_axe:
            self.context.add_init_script(source())
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)
        self.page.on("requestfailed", self._failed)

    def open(self, path: str, *, awaits: int = 200) -> None:
        """Go to a page, which answers with the status `awaits`."""
        self.awaited = awaits
        self.page.goto(self.url + path)

    def sign_in(self, name: str, password: str) -> None:
        """By the login page, to the first page."""
        self.open("/admin/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", password)
        self.page.click("#login-form button[type=submit]")
        self.page.wait_for_url(f"{self.url}/admin/")

    def act(self, name: str) -> None:
        """Press one of the page's actions, which a phone keeps folded."""
        action = self.page.get_by_role("link", name=re.compile(rf"\b{name}$"))  # after its icon's name
        folded = self.page.get_by_role("button", name="Actions", exact=True)
        expect(action.or_(folded).first).to_be_visible()  # what is hidden has no role
        if not action.is_visible():
            folded.click()
        action.click()

    def _note(self, what: str) -> None:
        self.wrongs.append(f"{self.page.url.removeprefix(self.url)}: {what}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and f"status of {self.awaited}" not in message.text:
            self._note(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self._note(f"request to elsewhere: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status != self.awaited:
            self._note(f"{response.status} {response.url}")

    def _failed(self, request: Request) -> None:
        """What the page itself left off, as by going elsewhere, has not failed."""
        if request.failure != "net::ERR_ABORTED":
            self._note(f"{request.failure} {request.url}")
