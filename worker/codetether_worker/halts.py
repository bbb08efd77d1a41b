"""Why a running attempt is stopped from outside, and the outcome that this gives."""

from __future__ import annotations

from dataclasses import dataclass

from codetether_worker.protocol import Outcome


@dataclass(frozen=True, slots=True)
class Halt:
    """One reason with its outcome."""

    reason: str
    outcome: Outcome

    @classmethod
    def cancelled(cls, reason: str) -> Halt:
        text = reason or "cancelled"
        return cls(text, Outcome("cancelled", error=text, error_code="cancelled"))

    @classmethod
    def lease_lost(cls) -> Halt:
        text = "the lease ran out while the server could not be reached"
        return cls(text, Outcome("failed", error=text, error_code="lease_lost", retry=True))

    @classmethod
    def stale(cls) -> Halt:
        return cls("the claim is not ours any more", Outcome("failed", error_code="stale_claim"))

    @classmethod
    def drained(cls, *, asking: bool = False) -> Halt:
        """`asking`: a question to a person is open, which stays so; what comes after it is as in `unanswered`."""
        text = "the worker is shutting down"
        if asking:
            return cls(
                text, Outcome("input_required", error=f"{text}; the question stays open", error_code="question_left")
            )
        return cls(text, Outcome("pending", error=text, error_code="worker_draining", retry_after=0))

    @classmethod
    def idle(cls, seconds: float, trouble: str | None) -> Halt:
        """`trouble` is what the agent program last complained of, if it did."""
        text = f"the agent gave no sign of life for {seconds:.0f} seconds"
        said = f"{text}; it last reported: {trouble}" if trouble else text
        return cls(said, Outcome("failed", error=said, error_code="agent_idle"))

    @classmethod
    def over(cls, *, code: str, text: str) -> Halt:
        """A limit of the attempt is used up; trying again would use it up again."""
        return cls(text, Outcome("failed", error=text, error_code=code))

    @classmethod
    def unanswered(cls, seconds: float) -> Halt:
        """The question stays open at the server; whoever claims the task after the answer resumes the session."""
        text = f"nobody answered within {seconds:.0f} seconds; the worker lets go, the question stays open"
        return cls(text, Outcome("input_required", error=text, error_code="question_left"))
