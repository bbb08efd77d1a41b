"""What an exchange between a sender and the server says about tasks, as entries for the history."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.chaos.calls import NO_ANSWER, Answer
from tests.chaos.history import OK


@dataclass(frozen=True, slots=True)
class Note:
    op: str
    id: str
    outcome: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and the server's whole answer (empty: none)."""

    method: str
    path: str
    body: bytes
    answer: bytes

    def notes(self) -> Iterator[Note]:
        """Nothing for what does not change tasks."""
        if self.method != "POST":
            return
        if self.path == "/v1/worker/tasks/claim":
            yield from self._claims()
        elif self.path == "/v1/worker/tasks/release":
            yield self._release()
        elif self.path.startswith("/v1/worker/tasks/") and self.path.endswith("/events"):
            yield self._events()

    def _said(self) -> Answer:
        head, _, content = self.answer.partition(b"\r\n\r\n")
        words = head.split(None, 2)
        if len(words) < 2:
            return NO_ANSWER
        try:
            return Answer(int(words[1]), json.loads(content) if content else {})
        except ValueError:
            return NO_ANSWER

    def _claims(self) -> Iterator[Note]:
        said = self._said()
        if said.outcome != OK:
            return
        for task in said.body.get("tasks", []):
            facts = {"token": task["claim_token"], "attempt": task["attempt"], "worker": task["worker_id"]}
            yield Note("claim", task["id"], OK, facts)

    def _release(self) -> Note:
        asked, said = json.loads(self.body), self._said()
        facts = {
            "token": asked["claim_token"], "status": asked.get("status", ""), "retry": asked.get("retry", False),
            "code": said.code, "worker": asked.get("worker_id", ""), "became": said.body.get("status", ""),
        }  # fmt: skip
        return Note("release", asked["task_id"], said.outcome, facts)

    def _events(self) -> Note:
        asked, said = json.loads(self.body), self._said()
        sent = [[event["seq"], event["kind"], event["data"]] for event in asked["events"]]
        facts = {"token": asked["claim_token"], "events": sent, "code": said.code, "worker": asked.get("worker_id", "")}
        return Note("events", self.path.split("/")[4], said.outcome, facts)
