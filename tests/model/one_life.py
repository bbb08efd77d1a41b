"""One task that random things happen to, by the services; what the rules refuse does not happen."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from apps.core.errors import ConflictError
from apps.tasks.reports import from_worker
from apps.tasks.services import (
    Claim,
    Outcome,
    task_answer,
    task_cancel,
    task_claim,
    task_finish,
    task_leave_question,
    task_message,
    task_progress,
    task_requeue,
    task_snooze,
)
from apps.tasks.states import State
from tests.factories import Cast

WORDS = st.text("ab é\n", min_size=1, max_size=6).filter(str.strip)
HAPPENINGS = st.one_of(
    st.tuples(st.just("take")),
    st.tuples(st.just("say"), WORDS),
    st.tuples(st.just("think"), WORDS),
    st.tuples(st.just("progress"), WORDS),
    st.tuples(st.just("make"), st.sampled_from("xy"), WORDS, st.booleans()),
    st.tuples(st.just("use_tool"), WORDS),
    st.tuples(st.just("ask"), WORDS),
    st.tuples(st.just("leave"), WORDS),
    st.tuples(st.just("answer"), WORDS),
    st.tuples(st.just("message"), WORDS),
    st.tuples(st.just("requeue")),
    st.tuples(st.just("snooze")),
)
ENDINGS = st.one_of(
    st.tuples(st.just("complete"), st.one_of(st.just(""), WORDS)),
    st.tuples(st.just("fail"), WORDS),
    st.tuples(st.just("reject"), WORDS),
    st.tuples(st.just("cancel")),
)
LIVES = st.tuples(st.lists(HAPPENINGS, max_size=14), ENDINGS)
"""What happens to a task, and how it ends."""


class Life:
    """A new task. `claim` is the last claim on it, which may be stale."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.task_id: UUID = cast.task(prompt="Begin").id
        self.claim = Claim(cast.workspace.id, self.task_id, UUID(int=0))

    def happen(self, what: tuple[Any, ...]) -> None:
        """Do it, where the task's state allows it."""
        with suppress(ConflictError):
            getattr(self, what[0])(*what[1:])

    def end(self, how: tuple[Any, ...]) -> None:
        """End the task so; first it is brought into a worker's hands."""
        if how[0] != "cancel":
            self.happen(("answer", "go on"))
            self.happen(("take",))
        getattr(self, how[0])(*how[1:])

    # A worker -----------------------------------------------------------------------------------------------------

    def take(self) -> None:
        (task,) = task_claim(claimer=self.cast.claimer(), task_id=self.task_id)
        assert task.claim_token is not None
        self.claim = Claim(self.cast.workspace.id, self.task_id, task.claim_token)

    def report(self, kind: str, **data: Any) -> None:
        task_progress(claim=self.claim, reported=[from_worker(kind, data)])

    def say(self, text: str) -> None:
        self.report("output", type="text", content=text)

    def think(self, text: str) -> None:
        self.report("output", type="reasoning", content=text)

    def progress(self, text: str) -> None:
        self.report("status", message=text)

    def make(self, name: str, text: str, append: bool) -> None:
        self.report("artifact", artifact_id=name, name=name, parts=[{"text": text}], append=append)

    def use_tool(self, text: str) -> None:
        self.report("tool_use", tool="bash", args={"command": text})

    def ask(self, text: str) -> None:
        self.report("input_required", question=text)

    def leave(self, text: str) -> None:
        task_leave_question(claim=self.claim, question=text, options=[])

    def snooze(self) -> None:
        task_snooze(claim=self.claim, seconds=0, reason="drain")

    def complete(self, result: str) -> None:
        task_finish(claim=self.claim, outcome=Outcome(status=State.COMPLETED, result=result, session_id="s"))

    def fail(self, error: str) -> None:
        task_finish(claim=self.claim, outcome=Outcome(status=State.FAILED, error=error))

    def reject(self, error: str) -> None:
        task_finish(claim=self.claim, outcome=Outcome(status=State.REJECTED, error=error))

    # People -------------------------------------------------------------------------------------------------------

    def answer(self, text: str) -> None:
        task_answer(workspace_id=self.cast.workspace.id, task_id=self.task_id, message=text, by="ada")

    def message(self, text: str) -> None:
        task_message(workspace_id=self.cast.workspace.id, task_id=self.task_id, message=text, by="ada")

    def requeue(self) -> None:
        task_requeue(workspace_id=self.cast.workspace.id, task_id=self.task_id, by="ada")

    def cancel(self) -> None:
        task_cancel(workspace_id=self.cast.workspace.id, task_id=self.task_id, by="ada")
