"""Providers' limits: recognised by what providers and programs write, with the time that they name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from codetether_worker.limits import DefaultLimits, limits_of
from codetether_worker.protocol import Claim, RegisteredCodebase
from codetether_worker.quota import LONGEST, UNTOLD, UNTOLD_QUOTA, seconds_to_wait

NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000. Please try again in 20s. Visit x", 20),
        ("Rate limit reached for gpt-4o. Please try again in 6m0s.", 360),
        ("You've hit your usage limit. Upgrade to Pro or try again in 2 hours 5 minutes.", 7500),
        ("You exceeded your current quota, please check your plan and billing details.", UNTOLD_QUOTA),
        ("You exceeded your current quota. Please retry in 25.3s.", 25.3),
        ('{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"38s"}]}}', 38),
        ("Resource has been exhausted (e.g. check quota): RESOURCE_EXHAUSTED", UNTOLD),
        ("Your quota will reset after 2h30m: exhausted your capacity, quota exceeded", 9000),
        ('529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', UNTOLD),
        ("API Error: 429 Too Many Requests (retry-after: 120)", 120),
        ("429 Too Many Requests retry-after-ms=90000", 90),
        ("This request would exceed your organization's rate limit of 50,000 input tokens per minute.", UNTOLD),
        ("Your credit balance is too low to access the Anthropic API.", UNTOLD_QUOTA),
        ("Claude AI usage limit reached|1795270800", 1795270800 - NOW.timestamp()),
        ("You've hit your limit · resets 3pm (UTC)", 7200),
        ("You've hit your session limit · resets 9:30am (America/New_York)", 5400),
        ("usage limit reached; resets at 2026-11-21T15:30:00Z", 9000),
        ("Limit reached for Opus, resets Nov 21, 11pm (UTC)", 36_000),
        ("You've hit your usage limit. Try again in 3 days 2 hours.", LONGEST),
        ("Limit reached, resets Nov 24, 9am (UTC)", LONGEST),
        ("usage limit reached, resets 1pm (UTC)", LONGEST),  # which has just passed: tomorrow's
    ],
)
def test_how_long_to_wait(text: str, seconds: float) -> None:
    told = seconds_to_wait(text, now=NOW)
    assert told is not None
    assert min(seconds, LONGEST) <= told <= min(seconds + 2, LONGEST)


@pytest.mark.parametrize(
    "text",
    [
        "", "Incorrect API key provided", "prompt is too long: 210000 tokens > 200000 maximum",
        "This model's maximum context length is 128000 tokens", "cannot read line 429x", "the recursion limit reached",
        "a file of 529000 bytes",
    ],
)  # fmt: skip
def test_what_is_no_limit_of_a_provider(text: str) -> None:
    assert seconds_to_wait(text, now=NOW) is None


DEFAULTS = DefaultLimits(idle=900, question=0, output=200, minutes=60, cost_usd=0, tokens=1000)


def limits(config: dict[str, object], metadata: dict[str, object]) -> tuple[float | None, float | None, float | None]:
    codebase = RegisteredCodebase("c", "shop", "/code/shop", config)
    found = limits_of(Claim("t", "token", codebase=codebase, metadata=metadata), DEFAULTS)
    return found.seconds, found.cost_usd, found.tokens


@pytest.mark.parametrize(
    ("config", "metadata", "expected"),
    [
        ({}, {}, (3600, None, 1000)),
        ({"max_minutes": 90, "max_cost_usd": 2}, {}, (5400, 2, 1000)),
        ({"max_minutes": 90}, {"max_minutes": 30, "max_tokens": 5000}, (1800, None, 1000)),
        ({"max_minutes": 0, "max_tokens": "many"}, {"max_cost_usd": True}, (3600, None, 1000)),
        ({}, {"max_cost_usd": 0.5}, (3600, 0.5, 1000)),
    ],
)
def test_a_task_lowers_limits_and_never_raises_them(
    config: dict[str, object], metadata: dict[str, object], expected: tuple[float | None, float | None, float | None]
) -> None:
    assert limits(config, metadata) == expected
