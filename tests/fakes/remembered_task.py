"""One task as a fake control plane remembers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FINAL = frozenset({"completed", "failed", "cancelled"})


@dataclass
class FakeTask:
    """One task as the server would store it; `log` holds the accepted events in order."""

    id: str
    queue: str
    body: dict[str, Any]
    status: str = "pending"
    attempt: int = 0
    claim_token: str | None = None
    client_seq: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)
    releases: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    message_seq: int = 0
    cancel_reason: str | None = None
    declined_by: set[str] = field(default_factory=set)
    not_before: float = 0.0
    released_token: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[int] = field(default_factory=list)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event["data"] for event in self.log if event["kind"] == kind]

    @property
    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.log]

    @property
    def text(self) -> str:
        return "".join(data["content"] for data in self.events("output") if data["type"] == "text")

    @property
    def release(self) -> dict[str, Any]:
        return self.releases[-1]
