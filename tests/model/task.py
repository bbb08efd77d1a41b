"""A pure model of one task: what each service must do to it, in plain Python and without a clock.

Leases, pauses and deadlines are words here (live, expired; paused or not; ahead, passed); the rules move the database's
promises to match.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

TERMINAL = {"completed", "failed", "cancelled", "rejected"}
ASKING = {"input_required", "auth_required"}
HELD = {"running"} | ASKING


@dataclass(frozen=True)
class Wish:
    """What a client asks for: where the task belongs, and what its worker must be able to do."""

    priority: int = 0
    attempts: int = 3
    queue: str = "global"
    requires: tuple[str, ...] = ()
    model: str = ""
    role: str = ""
    key: str = ""
    deadline: str = ""


@dataclass
class Task:
    """One task as it ought to be. `seq` counts its events, `moves` the outbox rows; `born` is in milliseconds."""

    wish: Wish
    born: int
    priority: int
    max_attempts: int
    deadline: str = ""
    state: str = "pending"
    attempt: int = 0
    worker: str = ""
    token: UUID | None = None
    lease: str = ""
    paused: bool = False
    seq: int = 1
    moves: int = 1
    claim_seq: int = 0
    client_seq: int = 0
    steering: int = 0
    heard: int = 0
    said: list[int] = field(default_factory=list)
    declined: list[str] = field(default_factory=list)

    @classmethod
    def made(cls, wish: Wish, born: int) -> "Task":
        return cls(wish, born, wish.priority, wish.attempts, deadline=wish.deadline)

    def facts(self) -> dict[str, object]:
        """What must be found in its row."""
        names = ("state", "attempt", "max_attempts", "priority", "worker", "token", "lease", "paused", "deadline")
        more = ("seq", "claim_seq", "client_seq", "steering", "heard", "declined")
        return {name: getattr(self, name) for name in names + more} | {"key": self.wish.key}

    @property
    def rank(self) -> int:
        """The smallest is claimed first: the age in milliseconds, with ten minutes' start for each priority."""
        return self.born - 600_000 * self.priority

    # Why a write is refused; empty where it is not

    def refuses(self, allowed: set[str]) -> str:
        """The refusal of a client's wish that fits the states `allowed`."""
        if self.state in allowed:
            return ""
        return "task_ended" if self.state in TERMINAL else "wrong_state"

    def refuses_token(self, token: UUID) -> str:
        """The refusal of a holder's write that shows `token`."""
        return "" if self.token == token and self.state in HELD else "stale_claim"

    # What clients do

    def move(self, state: str, *, events: int = 1, moves: int = 1) -> None:
        self.state = state
        self.seq += events
        self.moves += moves

    def cancel(self) -> None:
        self.move("cancelled")
        self.token, self.lease = None, ""

    def speak(self) -> None:
        self.move(self.state, moves=0)
        self.said.append(self.seq)
        self.steering = self.seq

    def interrupt(self) -> None:
        self.move(self.state, moves=0)
        self.steering = self.seq

    def answer(self) -> None:
        if self.lease:
            self.move("running")
        else:
            self.give_back(paused=False, burn=False)
        self.steering = self.seq

    def reprioritise(self, priority: int) -> None:
        self.move(self.state, moves=0)
        self.priority = priority

    def requeue(self) -> None:
        self.give_back(paused=False, burn=False)

    # What workers do

    def claim(self, worker: str, token: UUID) -> None:
        self.move("running")
        self.attempt += 1
        self.worker, self.token, self.lease, self.client_seq, self.claim_seq = worker, token, "live", 0, self.seq

    def renew(self, heard: int) -> None:
        self.lease = "live"
        self.heard = max(self.heard, min(heard, self.steering))

    def unheard(self, heard: int) -> int:
        """The last thing that a holder who has heard up to `heard` must be told of, or 0."""
        return self.steering if self.steering > heard else 0

    def report(self, said: Iterable[tuple[int, str]]) -> None:
        """(client's number, state that it asks for or empty) of each reported event."""
        for number, asks in said:
            if number <= self.client_seq:
                continue
            self.client_seq = number
            self.move(asks or self.state, moves=bool(asks))

    def finish(self, state: str, *, retry: bool) -> None:
        if retry and state == "failed" and self.attempt < self.max_attempts:
            self.give_back(paused=True, burn=True)
        else:
            self.move(state)
            self.lease = ""

    def said_after(self, heard: int | None) -> bool:
        """Whether a holder that ends the task having heard up to `heard` leaves something for a follow-up."""
        return heard is not None and any(seq > heard for seq in self.said)

    def follow_up(self, born: int) -> "Task":
        wish = Wish(
            self.priority, 3, self.wish.queue, self.wish.requires, self.wish.model, self.wish.role, self.wish.key
        )
        return Task.made(wish, born)

    def give_back(self, *, paused: bool, burn: bool) -> None:
        self.move("pending")
        self.let_go()
        self.paused = paused
        self.max_attempts += not burn

    def decline(self, worker: str) -> None:
        self.declined.append(worker)
        self.move("pending", events=2)
        self.let_go()
        self.max_attempts += 1

    def leave_question(self) -> None:
        self.move("input_required", events=2, moves=2)
        self.let_go()

    def let_go(self) -> None:
        self.worker, self.token, self.lease = "", None, ""

    # What time does

    def reap(self) -> int:
        """One sweep of the reaper; how many moves it made here."""
        moves = self.moves_of_expired_lease()
        if self.state == "pending" and self.deadline == "passed":
            self.move("failed")
            moves += 1
        return moves

    def moves_of_expired_lease(self) -> int:
        if self.lease != "expired":
            return 0
        if self.state in ASKING:
            self.move(self.state)
            self.let_go()
        elif self.attempt >= self.max_attempts:
            self.move("failed")
            self.token, self.lease = None, ""
        else:
            self.give_back(paused=True, burn=True)
        return 1
