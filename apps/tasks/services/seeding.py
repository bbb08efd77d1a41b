"""Made-up tasks in any number: what they are about, how much of each, and the batches in which they are made."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.core import jsontext
from apps.core.tenancy import AS_OWNER, acting
from apps.tasks.models import Task
from apps.tasks.services.ended import ended_recount
from apps.tasks.services.statements import seeding

BATCH = 400
LONG_LOG = 50_000
"""Events of the longest log; with few tasks a quarter of all their events."""
LEASE = timedelta(days=30)
"""Nobody renews the leases of made-up workers: they last until the demonstration is over."""
DAYS = 30
SESSION_EVERY = 50
"""Of so many tasks one has a session that is made up, too; of few tasks more of them."""

VERBS = ["Mend", "Speed up", "Write tests for", "Document", "Review", "Rework", "Translate", "Trace a leak in",
         "Upgrade", "Remove dead code from", "Add metrics to", "Find out what broke"]  # fmt: skip
THINGS = ["the till's rounding", "the invoice export", "the search index", "the login page", "the booking calendar",
          "the webhook retries", "the image pipeline", "the tax tables", "the warehouse sync", "the mail templates",
          "the price feed", "the audit report", "the mobile menu", "the payment callback", "the nightly backup",
          "the rate limiter", "the address form", "the stock forecast", "the returns desk", "the loyalty points",
          "the customs papers", "the delivery map", "the queue's backlog", "the currency cache"]  # fmt: skip
DETAILS = ["Keep the public interface as it is and say what you measured.", "The failing case is in the bug report.",
           "Leave the database schema alone; a migration comes later.", "Make the tests pass before you finish.",
           "Customers saw it twice last week, both times after midnight.", "Small commits, each with its reason.",
           "Ask before you touch anything outside this folder."]  # fmt: skip
RESULTS = ["Done: the tests pass, and the cause is written down in the commit.",
           "The half-cent was lost where totals were rounded before tax; they are rounded once now.",
           "Three queries became one. The page takes 40 ms where it took 900.",
           "Nothing was broken: the report used an old export. I added a check that says so.",
           "Reviewed; two remarks, neither of which stops the release."]  # fmt: skip
ERRORS = ["The tests still fail after three tries: test_total_is_rounded_once", "The model gave no answer for 600 s",
          "The working tree has changes that are not committed", "npm ci ended with status 1"]  # fmt: skip
PEOPLE = ["ada", "grace", "edsger", "barbara", "margaret", "nightly-build"]
MODELS = ["anthropic/claude-sonnet-4-5", "openai/gpt-5-codex", "google/gemini-2.5-pro"]
AGENT_TYPES = ["build", "build", "build", "plan", "explore", "general"]
OPTIONS = [{"id": "allow", "label": "Allow once", "kind": "allow_once"},
           {"id": "reject", "label": "Refuse", "kind": "reject_once"}]  # fmt: skip
Step = tuple[str, dict[str, Any]]


def _call(tool: str, args: dict[str, Any], output: str, status: str = "completed") -> list[Step]:
    used = {"tool": tool, "args": args, "title": f"{tool} {next(iter(args.values()))}"}
    return [("tool_use", used), ("tool_result", {"tool": tool, "status": status, "output": output})]


def _say(thought: str, said: str) -> list[Step]:
    return [("output", {"type": "reasoning", "content": thought}), ("output", {"type": "text", "content": said})]


def _change(path: str, diff: str) -> list[Step]:
    return [("file_change", {"action": "modified", "path": path, "diff": diff}),
            ("status", {"message": f"Changed {path}"})]  # fmt: skip


DIFF = "@@ -12,4 +12,4 @@\n def total(lines):\n-    return sum(round(line.price, 2) for line in lines)\n" \
       "+    return round(sum(line.price for line in lines), 2)\n"  # fmt: skip
SCRIPT: list[Step] = [
    *_say("The report names one function. I read it first.", "I will look at how totals are made."),
    *_call("read", {"path": "shop/totals.py"}, "def total(lines):\n    return sum(round(line.price, 2) …"),
    *_call("grep", {"pattern": "total\\(", "path": "shop"}, "shop/totals.py:12\nshop/invoice.py:88\nshop/api.py:41"),
    *_say("Each line is rounded, then summed.", "Rounding happens **before** the sum; that loses half-cents."),
    *_call("bash", {"command": "pytest -q tests/test_totals.py"}, "1 failed, 11 passed in 0.42s", "failed"),
    *_change("shop/totals.py", DIFF),
    *_call("bash", {"command": "pytest -q"}, "214 passed in 6.10s"),
    *_say("Is anything else like it?", "The invoice has the same pattern, so I change it as well:\n\n```python\n"
          "amount = round(sum(parts), 2)\n```"),
    *_change("shop/invoice.py", DIFF.replace("total(", "amount(")),
    *_call("bash", {"command": "ruff check shop"}, "All checks passed!"),
    *_call("edit", {"path": "CHANGELOG.md"}, "1 line added"),
    *_say("A reader wants to know why.", "I have written the reason into the changelog."),
]  # fmt: skip
"""What agents do in made-up logs, in pairs: a task's log holds some run of it, over and over where it is long."""


@dataclass(frozen=True, slots=True)
class SeedPlace:
    """Where made-up tasks belong. One that is named twice gets twice as many. An empty codebase: any worker."""

    workspace_id: uuid.UUID
    codebase_id: str
    worker_id: str


@dataclass(frozen=True, slots=True)
class Worked:
    """A made-up task that an agent worked at, of which a session can be made up."""

    workspace_id: uuid.UUID
    codebase_id: str
    session_id: str
    title: str
    worker_id: str
    created_at: Any


def tasks_exist() -> bool:
    """Whether the database holds any task, in whatever workspace."""
    return Task.objects.exists()


def tasks_seed(
    *, places: Sequence[SeedPlace], number: int, seed: int, told: Callable[[int], None] | None = None
) -> list[Worked]:
    """Make `number` tasks, about twenty events each; returns those that are fit to have a session.

    The newest are pending, running or asking, the others have ended. `told` hears how many there are so far.
    """
    params = _params(places, number, seed)
    found: list[Worked] = []
    with acting(AS_OWNER):
        for first, last in _batches(number):
            with transaction.atomic():
                _lightly()
                found += [Worked(*row) for row in seeding.seed_batch({**params, "first": first, "last": last})]
            if told is not None:
                told(last)
        _analyze("tasks_task", "tasks_taskevent")
        ended_recount()
    return found


def _params(places: Sequence[SeedPlace], number: int, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "total": number,
        "now": timezone.now(),
        "days": DAYS,
        "lease": LEASE,
        "pending": min(number // 16, 5_000),
        "running": min(number // 25, 60),
        "asking": min(number // 50, 40),
        "long_number": number // 2,
        "long_events": min(LONG_LOG, max(100, number * 5)),
        "session_every": min(SESSION_EVERY, max(1, number // 40)),
        "workspaces": [place.workspace_id for place in places],
        "codebases": [place.codebase_id for place in places],
        "workers": [place.worker_id for place in places],
        "verbs": VERBS, "things": THINGS, "details": DETAILS, "results": RESULTS, "errors": ERRORS,
        "people": PEOPLE, "models": MODELS, "agent_types": AGENT_TYPES,
        "kinds": [kind for kind, _ in SCRIPT],
        "datas": [jsontext.dumps(data).decode() for _, data in SCRIPT],
        "options": jsontext.dumps(OPTIONS).decode(),
    }  # fmt: skip


def _batches(number: int) -> Iterator[tuple[int, int]]:
    return ((first, min(first + BATCH - 1, number)) for first in range(1, number + 1, BATCH))


def _lightly() -> None:
    """Made-up rows need not be on the disk before the next ones are made."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _analyze(*tables: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE {table}")
