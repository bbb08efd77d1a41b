"""Sign-on in a real browser, by a real OpenID provider: in, with roles, and out again from either side."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing.chromium import IN_A_BROWSER, PATIENCE_MILLISECONDS
from tests.e2e.plant import Plant
from tests.factories import Cast
from tests.fakes.agent_programs import installed_folder

pytestmark = IN_A_BROWSER

PROGRAM = Path(__file__).parents[1] / "fakes" / "oidc_provider.mjs"


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    """The running product, whose people are the provider's."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {
        "OIDC_ISSUER": f"http://127.0.0.1:{port}", "OIDC_CLIENT_ID": "codetether",
        "OIDC_CLIENT_SECRET": "a secret of tests", "OIDC_NAME": "Example", "A2A_OUTBOUND_ALLOWED": "127.0.0.1",
    }  # fmt: skip
    folder = installed_folder("oidc-provider")
    with ExitStack() as stack:
        product = Plant(tmp_path, lease_seconds=60, **variables)
        command = ["node", str(PROGRAM), str(port), product.url]
        with (tmp_path / "provider.log").open("ab") as log:
            provider = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        stack.callback(_stop, provider)
        stack.enter_context(product)
        assert provider.stdout is not None
        json.loads(provider.stdout.readline())
        yield product


def _stop(provider: subprocess.Popen[bytes]) -> None:
    assert provider.stdin is not None
    assert provider.stdout is not None
    provider.stdin.close()
    provider.wait(10)
    provider.stdout.close()


def sign_in(browser: Browser, plant: Plant, name: str) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    page.goto(f"{plant.url}/admin/tasks/task/")
    page.get_by_role("link", name="Sign in with Example").click()
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.click("button[type=submit]")  # the provider asks whether ada wants this
    return page


def test_in_by_the_provider_and_out_again_from_either_side(plant: Plant, browser: Browser) -> None:
    ada = sign_in(browser, plant, "ada")
    expect(ada).to_have_url(f"{plant.url}/admin/tasks/task/")
    vic = sign_in(browser, plant, "vic")
    expect(vic.get_by_text("This account may not use the console.")).to_be_visible()
    elsewhere = sign_in(browser, plant, "ada")
    is_put_out_by_the_provider(ada, plant)
    signs_out(elsewhere, plant)


def is_put_out_by_the_provider(page: Page, plant: Plant) -> None:
    """Whoever logs out there is logged out here, by the back channel: the browser has not come by."""
    page.goto(f"{plant.variables['OIDC_ISSUER']}/session/end")
    page.click("button[name=logout]")
    expect(page.get_by_text("Sign-out Success")).to_be_visible()
    page.goto(f"{plant.url}/admin/")
    expect(page.get_by_role("link", name="Sign in with Example")).to_be_visible()


def signs_out(page: Page, plant: Plant) -> None:
    """By the console's own button, in a session that goes on; the provider asks once and sends the browser back."""
    page.goto(f"{plant.url}/admin/")
    page.evaluate("document.getElementById('logout-form').submit()")
    page.click("button[name=logout]")
    page.wait_for_url(f"{plant.url}/admin/login/**")
    page.goto(f"{plant.url}/admin/")
    expect(page.get_by_role("link", name="Sign in with Example")).to_be_visible()
