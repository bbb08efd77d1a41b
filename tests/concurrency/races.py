"""Who comes first, who comes second, and what the second gets: every pair of acts that can meet on one task."""

from dataclasses import dataclass

TABLE = """
pending  claim    claim    passes nothing          | two claims: the second looks elsewhere
pending  claim    take     passes already_claimed
pending  claim    renew    passes nothing
pending  claim    finish   passes stale_claim
pending  claim    reap     passes nothing
pending  claim    requeue  passes wrong_state
pending  claim    cancel   waits  ok          ok
pending  claim    speak    waits  ok          ok
pending  claim    promote  waits  wrong_state ok
pending  cancel   claim    passes nothing
pending  cancel   take     passes already_claimed
pending  cancel   renew    passes nothing
pending  cancel   finish   passes stale_claim
pending  cancel   reap     passes nothing
pending  cancel   cancel   waits  task_ended  ok
pending  cancel   speak    waits  task_ended  ok
pending  cancel   promote  waits  task_ended  ok
pending  promote  claim    passes nothing
pending  promote  cancel   waits  ok          ok
pending  promote  promote  waits  ok          ok
pending  speak    claim    passes nothing
pending  speak    cancel   waits  ok          ok

late     reap     claim    passes nothing          | pending beyond its deadline
late     reap     cancel   waits  task_ended  ok
late     reap     promote  waits  task_ended  ok
late     reap     reap     waits  nothing     ok
late     cancel   reap     waits  nothing     ok
late     promote  reap     waits  ok          ok

held     renew    claim    passes nothing          | running under a live lease
held     renew    reap     passes nothing
held     renew    renew    waits  ok          ok
held     renew    finish   waits  ok          ok
held     renew    retry    waits  ok          ok
held     renew    cancel   waits  ok          ok
held     renew    report   waits  ok          ok
held     renew    snooze   waits  ok          ok
held     finish   claim    passes nothing
held     finish   reap     passes nothing
held     finish   answer   passes wrong_state
held     finish   renew    waits  nothing     ok
held     finish   finish   waits  ok          ok   | the same ending again
held     finish   fail     waits  stale_claim ok
held     finish   retry    waits  stale_claim ok
held     finish   cancel   waits  task_ended  ok
held     finish   report   waits  stale_claim ok
held     finish   snooze   waits  stale_claim ok
held     finish   decline  waits  stale_claim ok
held     finish   leave    waits  stale_claim ok
held     finish   requeue  waits  task_ended  ok
held     finish   speak    waits  task_ended  ok
held     retry    claim    passes nothing
held     retry    renew    waits  nothing     ok
held     retry    finish   waits  stale_claim ok
held     retry    retry    waits  stale_claim ok
held     retry    cancel   waits  ok          ok
held     retry    report   waits  stale_claim ok
held     retry    requeue  waits  wrong_state ok
held     cancel   claim    passes nothing
held     cancel   reap     passes nothing
held     cancel   renew    waits  nothing     ok
held     cancel   finish   waits  stale_claim ok
held     cancel   retry    waits  stale_claim ok
held     cancel   cancel   waits  task_ended  ok
held     cancel   report   waits  stale_claim ok
held     cancel   ask      waits  stale_claim ok
held     cancel   snooze   waits  stale_claim ok
held     cancel   decline  waits  stale_claim ok
held     cancel   leave    waits  stale_claim ok
held     cancel   requeue  waits  task_ended  ok
held     cancel   speak    waits  task_ended  ok
held     snooze   claim    passes nothing
held     snooze   renew    waits  nothing     ok
held     snooze   finish   waits  stale_claim ok
held     snooze   cancel   waits  ok          ok
held     snooze   report   waits  stale_claim ok
held     snooze   requeue  waits  wrong_state ok
held     decline  finish   waits  stale_claim ok
held     decline  cancel   waits  ok          ok
held     leave    answer   passes wrong_state
held     leave    renew    waits  nothing     ok
held     leave    finish   waits  stale_claim ok
held     leave    cancel   waits  ok          ok
held     requeue  claim    passes nothing
held     requeue  renew    waits  nothing     ok
held     requeue  finish   waits  stale_claim ok
held     requeue  snooze   waits  stale_claim ok
held     requeue  cancel   waits  ok          ok
held     report   report   waits  ok          ok   | the same batch again
held     report   renew    waits  ok          ok
held     report   finish   waits  ok          ok
held     report   cancel   waits  ok          ok
held     speak    speak    waits  ok          ok
held     speak    finish   waits  ok          ok
held     speak    cancel   waits  ok          ok

expired  renew    renew    waits  ok          ok   | running, and the lease has run out
expired  renew    finish   waits  ok          ok
expired  renew    cancel   waits  ok          ok
expired  renew    reap     waits  nothing     ok
expired  finish   reap     waits  nothing     ok
expired  retry    reap     waits  nothing     ok
expired  report   reap     waits  ok          ok
expired  cancel   reap     waits  nothing     ok
expired  snooze   reap     waits  nothing     ok
expired  decline  reap     waits  nothing     ok
expired  leave    reap     waits  nothing     ok
expired  requeue  reap     waits  nothing     ok
expired  reap     claim    passes nothing
expired  reap     reap     waits  nothing     ok
expired  reap     renew    waits  nothing     ok
expired  reap     finish   waits  stale_claim ok
expired  reap     retry    waits  stale_claim ok
expired  reap     report   waits  stale_claim ok
expired  reap     ask      waits  stale_claim ok
expired  reap     snooze   waits  stale_claim ok
expired  reap     decline  waits  stale_claim ok
expired  reap     leave    waits  stale_claim ok
expired  reap     requeue  waits  wrong_state ok
expired  reap     cancel   waits  ok          ok
expired  reap     speak    waits  ok          ok

last     reap     reap     waits  nothing     ok   | as expired, and no attempt is left
last     reap     renew    waits  nothing     ok
last     reap     finish   waits  stale_claim ok
last     reap     retry    waits  stale_claim ok
last     reap     cancel   waits  task_ended  ok
last     reap     requeue  waits  task_ended  ok
last     cancel   reap     waits  nothing     ok
last     requeue  reap     waits  nothing     ok
last     renew    reap     waits  nothing     ok

asking   answer   answer   waits  wrong_state ok   | the agent has asked and waits
asking   answer   cancel   waits  ok          ok
asking   answer   finish   waits  ok          ok
asking   answer   renew    waits  ok          ok
asking   answer   snooze   waits  ok          ok
asking   answer   requeue  waits  ok          ok
asking   cancel   answer   waits  task_ended  ok
asking   finish   answer   waits  task_ended  ok
asking   requeue  answer   waits  wrong_state ok
asking   snooze   answer   waits  wrong_state ok
asking   renew    answer   waits  ok          ok

silent   answer   reap     waits  nothing     ok   | the agent has asked, and its worker is gone
silent   renew    reap     waits  nothing     ok
silent   cancel   reap     waits  nothing     ok
silent   reap     answer   waits  ok          ok
silent   reap     cancel   waits  ok          ok
silent   reap     finish   waits  stale_claim ok
silent   reap     renew    waits  nothing     ok
silent   reap     reap     waits  nothing     ok

unheld   answer   claim    passes nothing          | the question stands, nobody holds the task
unheld   answer   answer   waits  wrong_state ok
unheld   answer   cancel   waits  ok          ok
unheld   answer   requeue  waits  wrong_state ok
unheld   cancel   answer   waits  task_ended  ok
unheld   requeue  answer   waits  wrong_state ok
"""


@dataclass(frozen=True)
class Race:
    """`waits`: the second is blocked until the first has ended, and gets `committed` or `rolled_back` then. Otherwise
    it gets `committed` at once."""

    scene: str
    first: str
    second: str
    waits: bool
    committed: str
    rolled_back: str

    def __str__(self) -> str:
        return f"{self.scene}-{self.first}-{self.second}"


def _race(line: str) -> Race:
    scene, first, second, how, *outcomes = line.partition("|")[0].split()
    return Race(scene, first, second, how == "waits", outcomes[0], outcomes[-1])


RACES = [_race(line) for line in TABLE.splitlines() if line]
