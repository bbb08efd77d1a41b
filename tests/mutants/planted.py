"""The planted faults. Ten are asked for by name; the others are their neighbours."""

from tests.mutants.fault import Edit, Mutant

HOLD = "apps/tasks/services/hold.py"
FINISH = "apps/tasks/services/finish.py"
RESCUE = "apps/tasks/services/rescue.py"
FOLLOWING = "apps/tasks/log/following.py"
SWEEP = "apps/tasks/log/sweep.py"

LIFE = "tests/integration/test_life.py"
LOST_WAKEUPS = "tests/integration/test_lost_wakeups.py"

NO_FENCE = Mutant(
    "no-fence",
    "The worker is authenticated, so it need not show the token of its claim.",
    (
        Edit(
            HOLD,
            "return Guard(states, workspace_id=self.workspace_id, claim_token=self.token, attempts_left=attempts_left)",
            "return Guard(states, workspace_id=self.workspace_id, attempts_left=attempts_left)",
        ),
    ),
    (f"{LIFE}::test_vanished_workers_task_is_rescued_and_its_late_finish_refused",),
)

FORGOTTEN_REQUEUE = Mutant(
    "forgotten-requeue",
    "The reaper counts the tasks that it rescues; that they must wait in the queue again was left for later.",
    (Edit(RESCUE, "back = send_back(task_id=task.id, guard=", "back = dict(task_id=task.id, guard="),),
    (f"{LIFE}::test_vanished_workers_task_is_rescued_and_its_late_finish_refused",),
)

WAKE_UP_TRUSTED = Mutant(
    "wake-up-trusted",
    "A wake-up says which event is new, so only that one is read.",
    (
        Edit(
            FOLLOWING,
            "            if not page.is_whole or any(map(place.is_behind, waiter.take())):\n"
            "                page = await _read(desk, waiter, task_page, task_id, place.seq)\n",
            "            hints = waiter.take()\n"
            "            if not page.is_whole or any(map(place.is_behind, hints)):\n"
            "                place.seq = max([place.seq, *(hint.seq - 1 for hint in hints[-1:])])\n"
            "                page = await _read(desk, waiter, task_page, task_id, place.seq)\n",
        ),
    ),
    (LOST_WAKEUPS,),
)

NO_POLL = Mutant(
    "no-poll",
    "Redis delivers every message, so nobody needs to ask the database now and then.",
    (Edit(SWEEP, "        for wakeup in found:\n            hub().dispatch(wakeup)\n", ""),),
    (LOST_WAKEUPS,),
)

MUTANTS = [NO_FENCE, FORGOTTEN_REQUEUE, WAKE_UP_TRUSTED, NO_POLL]
