"""A worker that does what a test says, over the worker protocol: it takes the tasks of a role of its own."""

import itertools
import time
from typing import Any

import httpx

PATIENCE = 15.0
Json = dict[str, Any]
_numbers = itertools.count(1)


class Hand:
    """One worker. What it does is done when the call returns."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.role = f"hand-{next(_numbers)}"
        self._post(
            "/v1/opencode/workers/register",
            worker_id=self.role, name=self.role, global_codebase_id="global", agents=[{"role": self.role}],
        )  # fmt: skip

    def leave(self) -> None:
        """Go; a card has room for so many agents only."""
        self._post(f"/v1/opencode/workers/{self.role}/unregister")

    def move(self, http: httpx.Client) -> None:
        """Speak to another address from now on."""
        self._http = http

    def take(self) -> "Held":
        """The next task for this role, as soon as there is one."""
        deadline = time.monotonic() + PATIENCE
        while not (claims := self._post("/v1/worker/tasks/claim", worker_id=self.role)["tasks"]):
            assert time.monotonic() < deadline, f"no task for {self.role}"
            time.sleep(0.01)
        return Held(self, claims[0])

    def _post(self, path: str, **body: Any) -> Json:
        answer = self._http.post(path, json=body)
        assert answer.is_success, answer.text
        said: Json = answer.json()
        return said


class Held:
    """A task that the hand holds."""

    def __init__(self, hand: Hand, claim: Json) -> None:
        self.claim = claim
        self.task_id = str(claim["id"])
        self._hand = hand
        self._seq = 0

    def report(self, kind: str, **data: Any) -> None:
        self._seq += 1
        events = [{"seq": self._seq, "kind": kind, "data": data}]
        self._post(f"/v1/worker/tasks/{self.task_id}/events", events=events)

    def say(self, text: str) -> None:
        self.report("output", type="text", content=text)

    def ask(self, question: str) -> None:
        """And keep the task."""
        self.report("input_required", question=question)

    def finish(self, result: str = "", **more: Any) -> None:
        body = {"task_id": self.task_id, "status": "completed", "result": result, **more}
        self._post("/v1/worker/tasks/release", **body)

    def messages(self) -> list[Json]:
        """What was said to the task since it was taken."""
        claims = [{"task_id": self.task_id, "claim_token": self.claim["claim_token"], "message_seq": 0}]
        said: list[Json] = self._hand._post(f"/v1/opencode/workers/{self._hand.role}/heartbeat", claims=claims)[
            "messages"
        ]
        return said

    def is_cancelled(self) -> bool:
        claims = [{"task_id": self.task_id, "claim_token": self.claim["claim_token"]}]
        answer = self._hand._post(f"/v1/opencode/workers/{self._hand.role}/heartbeat", claims=claims)
        return self.task_id in [one["task_id"] for one in answer["cancel"]]

    def _post(self, path: str, **body: Any) -> None:
        self._hand._post(path, worker_id=self._hand.role, claim_token=self.claim["claim_token"], **body)
