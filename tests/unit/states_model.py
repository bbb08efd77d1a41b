"""A pure model of the heart: what each service must do to a task, in plain Python and without a clock.

Leases and pauses are words here (live, expired; paused or not); the test moves the database's promises to match.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

TERMINAL = {"completed", "failed", "cancelled", "rejected"}
ASKING = {"input_required", "auth_required"}
HELD = {"running"} | ASKING


@dataclass
class Model:
    """One task as it ought to be. `seq` counts its events, `moves` the outbox rows."""

    order: int
    priority: int
    max_attempts: int
    state: str = "pending"
    attempt: int = 0
    worker: str = ""
    token: UUID | None = None
    lease: str = ""
    paused: bool = False
    seq: int = 1
    moves: int = 1
    client_seq: int = 0
    declined: set[str] = field(default_factory=set)

    def move(self, state: str, *, events: int = 1, moves: int = 1) -> None:
        self.state = state
        self.seq += events
        self.moves += moves

    def let_go(self) -> None:
        self.worker, self.token, self.lease = "", None, ""

    def holds(self, token: UUID) -> bool:
        return self.token == token and self.state in HELD

    def may_be_claimed_by(self, worker: str) -> bool:
        return self.state == "pending" and not self.paused and worker not in self.declined

    def claim(self, worker: str, token: UUID) -> None:
        self.move("running")
        self.attempt += 1
        self.worker, self.token, self.lease, self.client_seq = worker, token, "live", 0

    def report(self, seqs: Iterable[int], *, asks: str = "") -> None:
        """Events of the numbers `seqs`; `asks` is the state that the last of them asks for."""
        fresh = [seq for seq in seqs if seq > self.client_seq]
        self.seq += len(fresh)
        if fresh and asks:
            self.state = asks
            self.moves += 1
        self.client_seq = max([self.client_seq, *fresh])

    def finish(self, state: str, *, retry: bool) -> None:
        if retry and self.attempt < self.max_attempts:
            self.give_back(paused=True, burn=True)
        else:
            self.move(state)
            self.lease = ""

    def give_back(self, *, paused: bool, burn: bool) -> None:
        self.move("pending")
        self.let_go()
        self.paused = paused
        self.max_attempts += not burn

    def decline(self) -> None:
        self.declined.add(self.worker)
        self.move("pending", events=2)
        self.let_go()
        self.max_attempts += 1

    def leave_question(self) -> None:
        self.move("input_required", events=2)
        self.let_go()

    def cancel(self) -> None:
        self.move("cancelled")
        self.token, self.lease = None, ""

    def answer(self) -> None:
        if self.lease:
            self.move("running")
        else:
            self.give_back(paused=False, burn=False)

    def reap(self) -> None:
        if self.lease != "expired":
            return
        if self.state in ASKING:
            self.seq += 1
            self.let_go()
        elif self.attempt >= self.max_attempts:
            self.move("failed")
            self.token, self.lease = None, ""
        else:
            self.give_back(paused=True, burn=True)
