"""A believable little installation for pages to show, made by the faces that people and workers use.

Tests and `make screenshots` look at the same; both beside made-up tasks of `manage.py seed_demo`.
"""

from dataclasses import dataclass
from typing import Any

from tests.browsing.hand import Face, Hand

WORKER = "workbench"
DIFF = """@@ -31,9 +31,11 @@ class Refund:
     def total(self) -> Decimal:
-        return sum(round(line.price, 2) for line in self.lines)
+        \"\"\"Rounded once, after the sum: a cent was lost for every three lines.\"\"\"
+        return round(sum(line.price for line in self.lines), 2)

     def lines_of(self, order: Order) -> list[Line]:
-        return [line for line in order.lines if line.returned]
+        return [line for line in order.lines if line.returned and not line.refunded]
"""
OPTIONS = [
    {"id": "once", "label": "Allow once", "kind": "allow_once"},
    {"id": "always", "label": "Allow always", "kind": "allow_always"},
    {"id": "no", "label": "Refuse", "kind": "reject_once"},
]
QUESTION = {"question": "May the agent do this? edit: shop/refunds.py", "options": OPTIONS, "call_id": "edit-1"}
READ_ABOUT = """I have read how refunds are made. Two things are wrong:

1. `Refund.total` rounds **each line**, and then sums.
2. `lines_of` counts a line that was refunded before.

```python
total = round(sum(line.price for line in lines), 2)
```

| Order | Shown | Right |
|---|---|---|
| 4711 | 29.99 | 30.00 |
| 4712 | 12.49 | 12.50 |

I change both, and write a test for each."""


@dataclass(slots=True)
class Stage:
    """What was made; tasks by their state."""

    asking: Hand
    running: Hand
    tasks: dict[str, str]
    codebase_id: str


def tool(name: str, argument: str, output: str, *, failed: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """A tool call with its result."""
    call = {"tool": name, "call_id": f"{name}-{argument[:20]}"}
    ended = {**call, "status": "failed" if failed else "completed", "output": output}
    return [("tool_use", {**call, "args": {"of": argument}, "title": f"{name} {argument}"}), ("tool_result", ended)]


def set_stage(face: Face) -> Stage:
    """Make it all; each thing once."""
    codebase_id = offers_a_codebase(face)
    tasks = {
        "auth_required": asks_for_a_key(face),
        "completed": writes_a_report(face, codebase_id),
        "failed": gives_up(face, codebase_id),
        "cancelled": face.create("Port the till to the mainframe"),
        "pending": face.create("Translate the mail templates", requires=["translator"], codebase_id=codebase_id),
    }
    face.post(f"/v1/opencode/tasks/{tasks['cancelled']}/cancel", reason="On second thought")
    asking, running = asks_for_leave(face, codebase_id), speeds_up_the_search(face, codebase_id)
    tasks |= {"input_required": asking.task_id, "running": running.task_id}
    has_variables(face, codebase_id)
    has_limits(face)
    lets_people_in(face)
    tells_somebody(face, running.task_id)
    knows_another_agent(face)
    return Stage(asking, running, tasks, codebase_id)


def goes_on(face: Face, stage: Stage) -> None:
    """All workers say that they are there, and this stage's that it works on what it holds: call it now and then."""
    claims = [
        {"task_id": hand.task_id, "claim_token": hand.token, "message_seq": 0} for hand in (stage.asking, stage.running)
    ]
    for worker in face.http.get("/v1/opencode/workers").json()["workers"]:
        held = claims if worker["worker_id"] == WORKER else []
        face.post(f"/v1/opencode/workers/{worker['worker_id']}/heartbeat", claims=held)


def offers_a_codebase(face: Face) -> str:
    face.register(
        WORKER, "Workbench", hostname="workbench.example", version="1.0", concurrency=4, capabilities=["opencode"],
        models=[{"id": "anthropic/claude-sonnet-4-5", "name": "Claude Sonnet 4.5", "provider": "anthropic"}],
        agents=[{"role": "builder", "instance": "builder:workbench:1", "description": "Writes code and its tests."}],
    )  # fmt: skip
    said = {"name": "storefront", "path": "/code/storefront", "worker_id": WORKER}
    codebase_id = str(face.post("/v1/opencode/codebases", **said)["codebase"]["id"])
    face.put("/v1/worker/codebases", worker_id=WORKER, codebases=[codebase_id])
    return codebase_id


def asks_for_leave(face: Face, codebase_id: str) -> Hand:
    """A task that is well under way, and needs a person."""
    task_id = face.create(
        "Mend the refunds that lose a cent", codebase_id=codebase_id, priority=5, model="anthropic/claude-sonnet-4-5",
        prompt="Customers get a cent too little back. Find out where it goes, mend it, and write tests.",
    )  # fmt: skip
    hand = face.take(task_id, WORKER)
    hand.say_all(
        ("session", {"session_id": "ses_refunds", "agent": "opencode"}),
        ("output", {"type": "reasoning", "content": "Where are refunds summed? I search before I read."}),
        *tool("grep", "def total shop/", "shop/refunds.py:32\nshop/invoice.py:88"),
        *tool("read", "shop/refunds.py", "class Refund:\n    def total(self) -> Decimal: …"),
        ("output", {"type": "text", "content": READ_ABOUT}),
        *tool("bash", "pytest -q tests/test_refunds.py", "1 failed, 11 passed in 0.42s", failed=True),
        (
            "file_change",
            {"action": "created", "path": "tests/test_cents.py", "diff": "+def test_no_cent_is_lost():"},
        ),
        ("usage", {"input_tokens": 48_210, "output_tokens": 3_912, "cost_usd": 0.21}),
        ("input_required", {**QUESTION, "diff": DIFF}),
    )
    return hand


def speeds_up_the_search(face: Face, codebase_id: str) -> Hand:
    """A task that runs, and says something. Its log has what is too wide for any page."""
    hand = face.take(face.create("Speed up the search for articles", codebase_id=codebase_id), WORKER)
    hand.say_all(
        *tool("bash", f"psql -c 'EXPLAIN SELECT {', '.join(f'c{n}' for n in range(90))} FROM article'", "Seq Scan …"),
        ("output", {"type": "stderr", "content": "warning: " + "y" * 300}),
        ("file_change", {"action": "modified", "path": "search/" * 40 + "index.py", "diff": "+" + "z" * 400}),
        ("output", {"type": "text", "content": "An index on `lower(title)` takes it from 900 ms to 4 ms."}),
    )
    return hand


def asks_for_a_key(face: Face) -> str:
    hand = face.take(face.create("Publish the packages"), WORKER)
    hand.say("input_required", question="The registry wants a token before it takes packages.", auth=True)
    return hand.task_id


def writes_a_report(face: Face, codebase_id: str) -> str:
    hand = face.take(face.create("Report what the nightly backup holds", codebase_id=codebase_id), WORKER)
    report = {"artifact_id": "report", "name": "backup.md", "parts": [{"text": "All 214 tables are in it."}]}
    hand.say_all(
        *tool("bash", "pg_restore --list backup.dump", "214 tables"),
        ("file_change", {"action": "modified", "path": "docs/backup.md", "diff": DIFF}),
        ("artifact", {**report, "last_chunk": True}),
    )
    hand.finish("**All 214 tables** are in it; the largest is `events`, with 41 GB.")
    return hand.task_id


def gives_up(face: Face, codebase_id: str) -> str:
    hand = face.take(face.create("Upgrade the payment library", codebase_id=codebase_id), WORKER)
    hand.say_all(*tool("bash", "npm ci", "npm error code ERESOLVE", failed=True))
    hand.finish(status="failed", error="npm ci ended with status 1", error_code="agent_failed")
    return hand.task_id


def has_variables(face: Face, codebase_id: str) -> None:
    face.put("/v1/workspace/variables/LOG_LEVEL", value="info", kind="variable", description="How much is said")
    secret = {"value": "correct-horse-battery", "kind": "secret", "description": "For the test accounts"}
    face.put(f"/v1/opencode/codebases/{codebase_id}/variables/PAYMENT_KEY", **secret)


def has_limits(face: Face) -> None:
    face.put("/v1/queue/limits", kind="workspace", key="", most=40)
    face.put("/v1/queue/limits", kind="key", key="deploys", most=1)
    face.post("/v1/queue/pause", kind="key", key="deploys", reason="A release is under way")


def lets_people_in(face: Face) -> None:
    face.post("/v1/users/api-keys", name="nightly build", role="operator")
    face.post("/v1/workspaces/default/invitations", role="viewer", email="grace@example.com")


def tells_somebody(face: Face, task_id: str) -> None:
    config = {"id": "chat", "url": "https://93.184.216.34/told", "token": "said-back"}
    said = {"taskId": task_id, "pushNotificationConfig": config}
    answer = face.post("/a2a/jsonrpc", jsonrpc="2.0", id=1, method="tasks/pushNotificationConfig/set", params=said)
    assert "error" not in answer, answer


def knows_another_agent(face: Face) -> None:
    """The product itself, whose address has to be allowed (A2A_OUTBOUND_ALLOWED)."""
    face.post("/v1/agents/remote", card_url=str(face.http.base_url), name="cousin", token="said-to-it")
