"""What time does, and the reaper."""

from uuid import UUID

from hypothesis.stateful import rule

from tests.expiry import end_pauses, expire_leases
from tests.model import clock
from tests.model.ground import TASKS, Ground


class TimeRules(Ground):
    @rule(task_id=TASKS)
    def lease_runs_out(self, task_id: UUID) -> None:
        if self.touched():
            clock.expire_lease(task_id)
        task = self.queue.tasks[task_id]
        task.lease = task.lease and "expired"

    @rule()
    def pauses_end(self) -> None:
        if self.touched():
            end_pauses()
        for task in self.queue.tasks.values():
            task.paused = False

    @rule()
    def deadlines_pass(self) -> None:
        for task_id, task in self.queue.tasks.items():
            if self.touched():
                clock.pass_deadline(task_id)
            task.deadline = task.deadline and "passed"

    @rule(task_id=TASKS)
    def ages(self, task_id: UUID) -> None:
        """It has waited longer than one priority is worth."""
        if self.touched():
            clock.age(task_id, seconds=700)
        self.queue.tasks[task_id].born -= 700_000

    @rule()
    def reap(self) -> None:
        moved = self.queue.reap()
        if target := self.touched():
            assert target.reap() == moved
            assert target.reap() == 0

    @rule()
    def workers_vanish(self) -> None:
        """All at once, so that second and third attempts are common in these lives."""
        if self.touched():
            expire_leases()
        for task in self.queue.tasks.values():
            task.lease = task.lease and "expired"
        self.reap()
        self.pauses_end()
