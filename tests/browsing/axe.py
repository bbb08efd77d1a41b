"""axe-core on a page: which of its serious and critical rules the page breaks.

The package is locked in tests/programs/axe, and installed once into the ignored `.cache/`.
"""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.fakes.agent_programs import installed_folder

GRAVE = ["serious", "critical"]
_RUN = """async ([part, rules, impacts]) => {
    const ends = (one) => Number.isFinite(one.effect.getComputedTiming().endTime);
    await Promise.allSettled(document.getAnimations().filter(ends).map((one) => one.finished));
    const options = { resultTypes: ["violations"], iframes: false };
    if (rules.length) options.runOnly = { type: "rule", values: rules };
    const { violations } = await axe.run(part || document, options);
    return violations.filter(({ impact }) => impacts.includes(impact))
        .map(({ id, nodes }) => [id, nodes.map(({ html, any }) =>
            html.slice(0, 240) + any.map(({ message }) => " <- " + message).join("").slice(0, 200))]);
}"""


@cache
def source() -> str:
    """The script. Raises NotInstallable."""
    return (installed_folder("axe") / "node_modules" / "axe-core" / "axe.min.js").read_text()


def grave_faults(page: Page, part: str = "", *rules: str) -> list[str]:
    """What a page, or a part of it, breaks of the given rules (default: of all); one line for each place in it.

    What fades in has come in by then: colours in between are nobody's.
    """
    found: list[Any] = page.evaluate(_RUN, [part, list(rules), GRAVE])
    return [f"{rule}: {' '.join(place.split())}" for rule, places in found for place in places]
