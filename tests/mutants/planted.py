"""The planted faults. Ten are asked for by name; the others are their neighbours."""

from tests.mutants.fault import Edit, Mutant

HOLD = "apps/tasks/services/hold.py"
RESCUE = "apps/tasks/services/rescue.py"
FOLLOWING = "apps/tasks/log/following.py"
SWEEP = "apps/tasks/log/sweep.py"
CLAIMING = "apps/tasks/services/statements/claiming.py"
WRITING = "apps/tasks/services/statements/writing.py"

LIFE = "tests/integration/test_life.py"
TIMEZONE, TRANSACTION = "from django.utils import timezone\n", "from django.db import transaction\n"
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
NO_SKIP_LOCKED = Mutant(
    "no-skip-locked",
    "Two claims that want the same task can queue up for it; a lock is short.",
    (
        Edit(
            CLAIMING, '_PASSED_OVER = " FOR NO KEY UPDATE OF t SKIP LOCKED"', '_PASSED_OVER = " FOR NO KEY UPDATE OF t"'
        ),
    ),
    ("tests/concurrency/test_claims.py::test_second_claimer_takes_the_next_task_without_waiting",),
)

COUNT_THEN_CLAIM_LIMITS = Mutant(
    "count-then-claim-limits",
    "Count what is held, and claim when there is room: counting is exact and needs no lock.",
    (
        Edit(
            CLAIMING,
            "CASE WHEN l.paused_at IS NULL THEN l.most - l.held ELSE 0 END AS free FROM tasks_queuelimit l\n"
            "    WHERE l.id IN (SELECT limit_id FROM needed) ORDER BY l.id FOR NO KEY UPDATE\n",
            "CASE WHEN l.paused_at IS NULL\n"
            "        THEN l.most - (SELECT count(*) FROM tasks_task h WHERE l.id = ANY(h.limit_ids))\n"
            "        ELSE 0 END AS free\n"
            "    FROM tasks_queuelimit l WHERE l.id IN (SELECT limit_id FROM needed) ORDER BY l.id\n",
        ),
    ),
    ("tests/concurrency/test_limits.py::test_last_place_goes_to_one_of_two",),
)

TOKEN_REUSE = Mutant(
    "token-reuse",
    "A token per task and worker is easier to find in the logs than a new one for each claim.",
    (Edit(CLAIMING, "claim_token = gen_random_uuid()", "claim_token = md5(t.id::text || %(worker_id)s)::uuid"),),
    (f"{LIFE}::test_vanished_workers_task_is_rescued_and_its_late_finish_refused",),
)

CLIENT_CLOCK = Mutant(
    "client-clock",
    "The end of the lease is worked out here, where its length is known, and handed to the database.",
    (
        Edit(
            CLAIMING, "from apps.core.prepared import execute\n", f"{TIMEZONE}from apps.core.prepared import execute\n"
        ),
        Edit(
            CLAIMING,
            "        lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s),\n"
            "        started_at",
            "        lease_expires_at = %(now)s::timestamptz + make_interval(secs => %(lease_seconds)s),\n"
            "        started_at",
        ),
        Edit(
            CLAIMING,
            'params = claimer.params() | {"lease_seconds": float(lease_seconds), "limit": limit}',
            'params = claimer.params() | {"lease_seconds": float(lease_seconds), "limit": limit}\n'
            '    params["now"] = timezone.now()',
        ),
    ),
    ("tests/integration/test_clocks.py::test_a_claims_lease_is_as_long_as_promised",),
)

REAP_BY_AGE = Mutant(
    "reap-by-age",
    "A task that has been running for an hour hangs: give it to somebody else.",
    (
        Edit(RESCUE, "from datetime import datetime\n", "from datetime import datetime, timedelta\n"),
        Edit(
            RESCUE,
            "held = Task.objects.filter(state__in=[str(state) for state in HELD], lease_expires_at__lt=Now())",
            "an_hour_ago = Now() - timedelta(hours=1)\n"
            "    held = Task.objects.filter(state__in=[str(state) for state in HELD], started_at__lt=an_hour_ago)",
        ),
        Edit(
            WRITING,
            '" AND t.lease_expires_at < clock_timestamp()"',
            "\" AND t.started_at < clock_timestamp() - interval '1 hour'\"",
        ),
    ),
    ("tests/api/worker/test_faults.py::test_task_of_any_age_stays_while_its_lease_is_renewed",),
)

REAP_WITHOUT_RECHECK = Mutant(
    "reap-without-recheck",
    "The sweep has just found the lease expired, so the UPDATE need not ask again.",
    (
        Edit(
            RESCUE,
            "return Guard(states, claim_token=task.claim_token, lease_expired=True)",
            "return Guard(states, claim_token=task.claim_token)",
        ),
    ),
    ("tests/integration/test_rescue_notices.py::test_rescue_that_a_renewal_prevented_is_told_to_nobody",),
)

OUTBOX_OUTSIDE_TRANSACTION = Mutant(
    "outbox-outside-transaction",
    "Who is to be told is written down once the change is safe in the database.",
    (
        Edit(
            WRITING,
            "from apps.core.prepared import execute\n",
            f"{TRANSACTION}from apps.core.prepared import execute\n",
        ),
        Edit(
            WRITING,
            "import AGEING_SECONDS_PER_PRIORITY, Task\n",
            "import AGEING_SECONDS_PER_PRIORITY, OutboxEntry, Task\n",
        ),
        Edit(WRITING, "FROM moved m, fresh f WHERE f.kind IN", "FROM moved m, fresh f WHERE false AND f.kind IN"),
        Edit(
            WRITING,
            "if _lets_go(changes) else ()\n        return task\n",
            "if _lets_go(changes) else ()\n        return _post_later(task, events)\n",
        ),
        Edit(
            WRITING,
            "return as_new_task(values, rows[0]) if rows else None",
            "return _post_later(as_new_task(values, rows[0]), [event]) if rows else None",
        ),
        Edit(
            WRITING,
            'POSITION = "pg_current_xact_id()::text::bigint"\n',
            'POSITION = "pg_current_xact_id()::text::bigint"\n\n\n'
            "def _post_later(task, happened):\n"
            "    entries = [\n"
            "        OutboxEntry(workspace_id=task.workspace_id, task_id=task.id, seq=seq, kind=event.kind)\n"
            "        for seq, event in enumerate(happened, task.last_seq - len(happened) + 1)\n"
            "        if event.kind in POSTED\n"
            "    ]\n"
            "    transaction.on_commit(lambda: OutboxEntry.objects.bulk_create(entries))\n"
            "    return task\n",
        ),
    ),
    ("tests/concurrency/test_commits.py::test_change_whose_outbox_entry_cannot_be_written_does_not_happen",),
)

SEQ_FROM_SEQUENCE = Mutant(
    "seq-from-sequence",
    "PostgreSQL has sequences for numbering; they need no lock.",
    (
        Edit(WRITING, "e.n - known.number AS n", "nextval('tasks_outboxentry_id_seq') AS n"),
        Edit(
            WRITING,
            "last_seq = t.last_seq + %(number)s::int - known.number,",
            "last_seq = COALESCE((SELECT max(n) FROM fresh), t.last_seq),",
        ),
        Edit(
            WRITING,
            "RETURNING t.*, t.last_seq - %(number)s::int + known.number AS base",
            "RETURNING t.*, 0::bigint AS base",
        ),
    ),
    ("tests/concurrency/test_numbering.py::test_number_of_what_was_rolled_back_is_given_to_the_next",),
)

SEQ_FROM_MAX = Mutant(
    "seq-from-max",
    "The next number is one more than the greatest that is there.",
    (
        Edit(
            WRITING,
            "SELECT m.id, m.base + f.n, m.workspace_id",
            "SELECT m.id, COALESCE((SELECT max(e.seq) FROM tasks_taskevent e WHERE e.task_id = m.id), 0) + f.n,\n"
            "        m.workspace_id",
        ),
    ),
    ("tests/concurrency/test_numbering.py",),
)

MUTANTS = [
    NO_FENCE,
    NO_SKIP_LOCKED,
    REAP_BY_AGE,
    COUNT_THEN_CLAIM_LIMITS,
    OUTBOX_OUTSIDE_TRANSACTION,
    TOKEN_REUSE,
    CLIENT_CLOCK,
    FORGOTTEN_REQUEUE,
    WAKE_UP_TRUSTED,
    SEQ_FROM_SEQUENCE,
    SEQ_FROM_MAX,
    NO_POLL,
    REAP_WITHOUT_RECHECK,
]
