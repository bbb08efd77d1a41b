"""What workers do, with claims that hold and with claims that no longer do."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, multiple, rule

from tests.model.clients import ClientRules
from tests.model.ground import CLAIMS, PICKS, TASKS, WORKERS
from tests.model.queue import ROSTER
from tests.model.target import Ending, Held, Said
from tests.model.task import Task
from tests.model.world import follow_up_of

HEARD = st.sampled_from([0, 2, 4, 9999])
KINDS = st.sampled_from(["output", "output", "usage", "session", "input", "auth"])
DATA = {
    "output": ("output", {"type": "text", "content": "hi"}, ""),
    "usage": ("usage", {"input_tokens": 7}, ""),
    "session": ("session", {"session_id": "s1"}, ""),
    "input": ("input_required", {"question": "Which?"}, "input_required"),
    "auth": ("input_required", {"question": "Who?", "auth": True}, "auth_required"),
}
"""By a rule's word for it: an event's kind, its data, and the state that it asks for."""
ENDINGS = st.builds(
    Ending,
    status=st.sampled_from(["completed", "failed", "failed", "cancelled", "rejected"]),
    retry=st.booleans(),
    heard=st.sampled_from([None, 0, 4, 9999]),
)


class WorkerRules(ClientRules):
    @rule(target=CLAIMS)
    def all_claim(self) -> MultipleResults[Held]:
        """Each takes what it can, so that tasks change hands often in these lives."""
        return multiple(*(held for worker in ROSTER for held in self.claimed(worker, 2)))

    @rule(target=CLAIMS, worker=WORKERS, limit=st.integers(1, 3))
    def claim(self, worker: str, limit: int) -> MultipleResults[Held]:
        return multiple(*self.claimed(worker, limit))

    def claimed(self, worker: str, limit: int) -> list[Held]:
        expected = self.queue.best_for(worker, limit)
        target = self.touched()
        granted = target.claim(worker, limit) if target else None
        return self.take(worker, granted, expected)

    @rule(target=CLAIMS, worker=WORKERS, drawn=TASKS, pick=PICKS)
    def claim_named(self, worker: str, drawn: UUID, pick: int | None) -> MultipleResults[Held]:
        task_id, task = self.chosen(drawn, pick)
        if self.queue.may_be_claimed(worker, task):
            target = self.touched()
            granted = [target.claim_named(worker, task_id)] if target else None
            return multiple(*self.take(worker, granted, [task_id]))
        self.tell(lambda target: target.claim_named(worker, task_id), "already_claimed", lambda: None)
        return multiple()

    @rule(drawn=st.lists(CLAIMS, min_size=1, max_size=3), pick=PICKS, all_good=st.booleans(), heard=HEARD)
    def renew(self, drawn: list[Held], pick: int | None, all_good: bool, heard: int) -> None:
        """A heartbeat with claims of all sorts; those that hold are renewed, the others left as they were."""
        good = [Held(*claim) for claim in self.queue.good_claims()] if all_good else []
        shown = {held.task: held for held in [self.shown(drawn[0], pick)[0], *drawn, *good]}
        before = self.renewable(list(shown.values()))
        expected = {task_id: task.renew(heard) or task.unheard(heard) for task_id, task in before.items()}
        if target := self.touched():
            assert target.renew(drawn[0].worker, list(shown.values()), heard) == expected

    def renewable(self, claims: list[Held]) -> Mapping[UUID, Task]:
        tasks = {held.task: self.queue.tasks[held.task] for held in claims}
        return {held.task: tasks[held.task] for held in claims
                if not tasks[held.task].refuses_token(held.token) and tasks[held.task].lease}  # fmt: skip

    @rule(drawn=CLAIMS, pick=PICKS, first=st.integers(1, 6), words=st.lists(KINDS, min_size=1, max_size=3),
          again=st.booleans())  # fmt: skip
    def report(self, drawn: Held, pick: int | None, first: int, words: list[str], again: bool) -> None:
        held, task, refusal = self.shown(drawn, pick)
        said = [Said(first + n, *DATA[word][:2]) for n, word in enumerate(words)]
        heard = partial(task.report, [(first + n, DATA[word][2]) for n, word in enumerate(words)])
        for _ in range(1 + again):
            self.tell(lambda target: target.report(held, said), refusal, heard)

    @rule(drawn=CLAIMS, pick=PICKS, ending=ENDINGS, again=st.booleans())
    def finish(self, drawn: Held, pick: int | None, ending: Ending, again: bool) -> None:
        held, task, refusal = self.shown(drawn, pick)
        for _ in range(1 + again):
            if task.token == held.token and task.state == ending.status:
                self.tell(lambda target: target.finish(held, ending), "", lambda: None)
            else:
                refusal = task.refuses_token(held.token)
                ended = partial(task.finish, ending.status, retry=ending.retry)
                self.tell(lambda target: target.finish(held, ending), refusal, ended)
            self.followed(held, task, ending)

    def followed(self, held: Held, task: Task, ending: Ending) -> None:
        """What was said too late is a task of its own, made once."""
        if task.token != held.token or task.state != ending.status or not task.said_after(ending.heard):
            return
        if held.task in self.followed_up:
            return
        if self.target:
            self.followed_up.add(held.task)
            self.queue.tasks[follow_up_of(held.task)] = task.follow_up(len(self.queue.tasks))

    @rule(drawn=CLAIMS, pick=PICKS, ending=ENDINGS)
    def spoken_to_too_late(self, drawn: Held, pick: int | None, ending: Ending) -> None:
        held, task, _ = self.shown(drawn, pick)
        self.speak(drawn=held.task, pick=None)
        self.finish(drawn=held, pick=None, ending=replace(ending, heard=0), again=False)

    @rule(drawn=CLAIMS, pick=PICKS, seconds=st.sampled_from([0, 3600]))
    def snooze(self, drawn: Held, pick: int | None, seconds: int) -> None:
        held, task, refusal = self.shown(drawn, pick)
        back = partial(task.give_back, paused=seconds > 0, burn=False)
        self.tell(lambda target: target.snooze(held, seconds), refusal, back)

    @rule(drawn=CLAIMS, pick=PICKS)
    def decline(self, drawn: Held, pick: int | None) -> None:
        held, task, refusal = self.shown(drawn, pick)
        self.tell(lambda target: target.decline(held), refusal, partial(task.decline, held.worker))

    @rule(drawn=CLAIMS, pick=PICKS)
    def leave_question(self, drawn: Held, pick: int | None) -> None:
        held, task, refusal = self.shown(drawn, pick)
        self.tell(lambda target: target.leave_question(held), refusal, task.leave_question)

    @rule(drawn=CLAIMS, pick=PICKS)
    def strangers_do_nothing(self, drawn: Held, pick: int | None) -> None:
        """Somebody of another workspace knows the task and even the token."""
        held, _, _ = self.shown(drawn, pick)
        before = self.world if self.target else None
        if target := self.touched():
            assert set(target.trespass(held)) == {"task_not_found"}
            assert self.world == before
