"""`python -m tests.screenshots`: take pictures of the console's pages, on a desktop and a phone, by day and by night.

All go into the ignored folder build/screenshots; those that the documentation shows go into docs/assets as well.
"""

import argparse
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browsing.chromium import DESKTOP, PHONE, Watched, chromium
from tests.browsing.hand import Face
from tests.browsing.stage import Stage, goes_on, set_stage
from tests.screenshots.pictures import Picture, pictures
from tests.screenshots.png import packed
from tests.screenshots.product import ROOT, Product, running

SHOTS, ASSETS = ROOT / "build" / "screenshots", ROOT / "docs" / "assets"
TASKS = 760
LOOKS: dict[str, dict[str, Any]] = {
    f"{size}-{light}": {**screen, "color_scheme": light}
    for size, screen in (
        ("desktop", {"viewport": DESKTOP, "device_scale_factor": 1.5}),
        ("phone", {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}),
    )
    for light in ("light", "dark")
}
SETTLE_MILLISECONDS = 400
"""Transitions, and what comes by a stream; streams keep the network busy, so there is no moment to wait for."""
HEARTBEAT_SECONDS = 10
LARGEST_ASSET = 300_000
"""Bytes."""


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _parser().parse_args(arguments)
    SHOTS.mkdir(parents=True, exist_ok=True)
    with running(TASKS) as product, product.http() as http:
        face = Face(http)
        stage = set_stage(face)
        chosen = [picture for picture in pictures(stage) if any(word in picture.name for word in options.only)]
        with chromium() as browser:
            large = [name for look in LOOKS for name in _take(Studio(browser, product, face, stage), look, chosen)]
        if options.keep:
            print(f"{product.url}/admin/ {product.username} {product.password}; Ctrl-C ends it", flush=True)
            _until_interrupted(face, stage)
    print(f"{len(chosen) * len(LOOKS)} pictures in {SHOTS.relative_to(ROOT)}")
    for name in large:
        print(f"{name} is larger than {LARGEST_ASSET} bytes")
    return 1 if large else 0


@dataclass(frozen=True)
class Studio:
    """What it takes to take a picture."""

    browser: Browser
    product: Product
    face: Face
    stage: Stage


def _take(studio: Studio, look: str, chosen: list[Picture]) -> list[str]:
    """All pictures under one look; the names of what has become too large for the documentation."""
    product = studio.product
    watched = Watched(studio.browser, product.url, **LOOKS[look])
    large = []
    for picture in sorted(chosen, key=lambda picture: picture.signed_in):
        goes_on(studio.face, studio.stage)
        watched.open(picture.address)
        if picture.signed_in and "/login/" in watched.page.url:
            watched.sign_in(product.username, product.password)
            watched.open(picture.address)
        picture.act(watched)
        image = _image(watched.page)
        (SHOTS / f"{picture.name}-{look}.png").write_bytes(image)
        if look in picture.docs:
            file = ASSETS / f"{picture.docs[look]}.png"
            file.write_bytes(image)
            large += [str(file.relative_to(ROOT))] if len(image) > LARGEST_ASSET else []
    watched.context.close()
    for wrong in watched.wrongs:
        print(f"{look}: {wrong}", file=sys.stderr)
    return large


def _image(page: Page) -> bytes:
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    return packed(page.screenshot(animations="disabled"))


def _until_interrupted(face: Face, stage: Stage) -> None:
    try:
        while True:
            goes_on(face, stage)
            time.sleep(HEARTBEAT_SECONDS)
    except KeyboardInterrupt:
        print("ended")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description="Pictures of the console's pages.")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="only those whose names hold a word")
    parser.add_argument("--keep", action="store_true", help="leave the product running afterwards, until Ctrl-C")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
