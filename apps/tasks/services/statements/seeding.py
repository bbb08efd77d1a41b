"""Made-up tasks with their logs, a batch by one statement: for demonstrations, and to measure what much data costs.

What a task becomes follows from its number and the seed alone (`hashint8extended`), so the same seed makes the same
history, under other ids. A batch is one transaction, and so one position in the workspace's order: batches are small,
as true transactions are. No outbox rows are written: nobody is to be told of what never happened.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection

from apps.tasks.models import AGEING_SECONDS_PER_PRIORITY
from apps.tasks.services.statements.writing import POSITION

PAIRS_AT_MOST = 14
"""A usual log holds up to so many pairs of a call and its result, or of two things said."""

Sampled = tuple[uuid.UUID, str, str, str, str, Any]


def _pick(salt: int, choices: str) -> str:
    """A number below `choices`, which only the task's number, the seed and `salt` decide."""
    return f"((hashint8extended(n, %(seed)s + {salt}) & 9223372036854775807) %% {choices})::int"


def _one_of(name: str, salt: int) -> str:
    return f"(%({name})s::text[])[1 + {_pick(salt, f'cardinality(%({name})s::text[])')}]"


_NUMBERED = f"""
numbered AS MATERIALIZED (
    SELECT n, 1 + {_pick(1, "cardinality(%(codebases)s::text[])")} AS place, {_pick(2, "1000")} AS chance,
        {_pick(3, "100")} < 6 AS is_steered, {_pick(4, "17")} + 2 AS step,
        {_one_of("verbs", 5)} || ' ' || {_one_of("things", 6)} AS title, {_one_of("details", 7)} AS detail,
        {_one_of("agent_types", 8)} AS agent_type, {_one_of("models", 9)} AS model, {_one_of("people", 10)} AS by,
        {_one_of("results", 11)} AS result, {_one_of("errors", 12)} AS error,
        {_pick(13, "5")} * 5 - 10 AS priority, 2 * (1 + {_pick(14, str(PAIRS_AT_MOST))}) AS usual,
        2 * {_pick(15, "cardinality(%(kinds)s::text[]) / 2")} AS beginning, {_pick(16, "100000")} AS tokens,
        md5(%(seed)s::text || n || %(now)s) AS mark
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
)"""

_SHAPED = """
shaped AS MATERIALIZED (
    SELECT *, CASE
        WHEN n > %(total)s - %(pending)s THEN 'pending'
        WHEN n > %(total)s - %(pending)s - %(running)s THEN 'running'
        WHEN n > %(total)s - %(pending)s - %(running)s - %(asking)s
            THEN CASE (%(total)s - %(pending)s - %(running)s - n) %% 4 WHEN 1 THEN 'auth_required'
                ELSE 'input_required' END
        WHEN n = %(long_number)s OR chance < 780 THEN 'completed'
        WHEN chance < 900 THEN 'failed' WHEN chance < 980 THEN 'cancelled' ELSE 'rejected' END AS state
    FROM numbered
), worked AS MATERIALIZED (
    SELECT *, state NOT IN ('pending', 'rejected') AND NOT (state = 'cancelled' AND chance %% 2 = 0) AS is_worked,
        CASE WHEN state IN ('failed', 'completed') AND chance %% 9 = 0 THEN 3 ELSE 0 END AS retried
    FROM shaped
), measured AS MATERIALIZED (
    SELECT *, CASE WHEN is_worked AND is_steered THEN 1 ELSE 0 END AS steered,
        CASE WHEN n = %(long_number)s THEN %(long_events)s::int - 5 - retried - is_steered::int
            WHEN is_worked THEN usual ELSE 0 END AS middle
    FROM worked
), numbered_log AS MATERIALIZED (
    SELECT *, 2 + retried AS claim_seq, 4 + retried + steered AS middle_seq,
        CASE WHEN state = 'pending' THEN 1 WHEN NOT is_worked THEN 2
            ELSE 4 + retried + steered + middle + (state <> 'running')::int END AS last_seq,
        LEAST(step, 7200.0 / (middle + 10)) * interval '1 second' AS pace
    FROM measured
), timed AS MATERIALIZED (
    SELECT *, (lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0') || '7' || substr(mark, 1, 3)
            || '8' || substr(mark, 4, 15))::uuid AS id,
        created_at + (last_seq - 1) * pace AS last_at,
        (%(workspaces)s::uuid[])[place] AS workspace_id, NULLIF((%(codebases)s::text[])[place], '') AS codebase_id,
        COALESCE(NULLIF((%(codebases)s::text[])[place], ''), 'global') AS queue,
        CASE WHEN is_worked THEN (%(workers)s::text[])[place] ELSE '' END AS worker_id,
        CASE WHEN is_worked THEN 'ses_' || substr(mark, 1, 20) ELSE '' END AS session_id,
        CASE WHEN is_worked THEN 1 + retried / 3 ELSE 0 END AS attempt,
        CASE WHEN is_worked THEN jsonb_build_object('input_tokens', 2000 + tokens, 'output_tokens', 200 + tokens / 9,
            'cost_usd', round(tokens / 90000.0, 4), 'model', model) ELSE '{}'::jsonb END AS usage
    FROM (
        SELECT *, CASE WHEN state IN ('pending', 'running', 'input_required', 'auth_required')
            THEN %(now)s::timestamptz - (%(total)s - n) * interval '45 seconds' * LEAST(1, 4000.0 / %(total)s)
            ELSE %(now)s::timestamptz - %(days)s * interval '1 day'
                * (1 - n::float8 / (%(total)s - %(pending)s - %(running)s - %(asking)s))
        END - last_seq * pace AS created_at
        FROM numbered_log OFFSET 0
    ) placed
), told AS MATERIALIZED (
    SELECT *, jsonb_build_object(
        'title', title, 'prompt', title || '. ' || detail, 'agent_type', agent_type, 'model', model,
        'priority', priority, 'queue', queue, 'codebase_id', codebase_id, 'requires', '[]'::jsonb,
        'target_agent', '', 'session_id', '', 'context_id', '', 'max_attempts', 3, 'concurrency_key', '',
        'metadata', '{"demo": true}'::jsonb, 'created_by', by) AS facts,
        CASE WHEN state = 'cancelled' THEN 'cancelled by ' || by WHEN state = 'rejected' THEN 'not for this workspace'
            WHEN state = 'failed' THEN error ELSE '' END AS why
    FROM timed
)"""

_TASKS = f"""
tasks AS (
    INSERT INTO tasks_task (id, workspace_id, codebase_id, queue, title, prompt, agent_type, model, priority, rank,
        requires, target_agent, metadata, created_by, context_id, session_id, state, last_seq, last_steering_seq,
        heard_seq, position, attempt, max_attempts, concurrency_key, limit_ids, declined_by, worker_id, claim_token,
        claim_seq, client_seq, lease_expires_at, result, error, error_code, usage, created_at, updated_at, moved_at,
        available_at, started_at, completed_at)
    SELECT id, workspace_id, codebase_id, queue, title, facts->>'prompt', agent_type, model, priority,
        extract(epoch FROM created_at) - priority * {AGEING_SECONDS_PER_PRIORITY}, '{{}}', '', facts->'metadata', by,
        '', session_id, state, last_seq, steered * (3 + retried + steered), steered * (3 + retried + steered),
        {POSITION}, attempt, 3, '', '{{}}', '{{}}', worker_id,
        CASE WHEN is_worked AND state IN ('running', 'input_required', 'auth_required') THEN gen_random_uuid() END,
        CASE WHEN is_worked THEN claim_seq ELSE 0 END, CASE WHEN is_worked THEN middle + 2 ELSE 0 END,
        CASE WHEN state IN ('running', 'input_required', 'auth_required') THEN %(now)s::timestamptz + %(lease)s END,
        CASE WHEN state = 'completed' THEN result ELSE '' END, why,
        CASE WHEN state = 'failed' THEN 'agent_error' ELSE '' END, usage, created_at, last_at,
        CASE WHEN state = 'running' THEN created_at + (claim_seq - 1) * pace ELSE last_at END, created_at,
        CASE WHEN is_worked THEN created_at + pace END,
        CASE WHEN state IN ('completed', 'failed', 'cancelled', 'rejected') THEN last_at END
    FROM told
)"""

_LOG = f"""
logged AS (
    INSERT INTO tasks_taskevent (task_id, seq, workspace_id, position, kind, data, created_at)
    SELECT t.id, e.seq, t.workspace_id, {POSITION}, e.kind, e.data, t.created_at + (e.seq - 1) * t.pace
    FROM told t CROSS JOIN LATERAL (
        SELECT seq, kind, data FROM (VALUES
            (1, 'created', t.facts),
            (CASE WHEN t.retried > 0 THEN 2 END, 'claimed',
                jsonb_build_object('worker_id', t.worker_id, 'attempt', 1)),
            (CASE WHEN t.retried > 0 THEN 3 END, 'status', '{{"message": "The agent starts"}}'),
            (CASE WHEN t.retried > 0 THEN 4 END, 'requeued', jsonb_build_object('reason', 'the lease ran out',
                'error', 'its worker vanished', 'delay_seconds', 10, 'burn', true)),
            (CASE WHEN t.is_worked THEN t.claim_seq END, 'claimed',
                jsonb_build_object('worker_id', t.worker_id, 'attempt', t.attempt)),
            (CASE WHEN t.is_worked THEN t.claim_seq + 1 END, 'session',
                jsonb_build_object('session_id', t.session_id, 'agent', 'opencode')),
            (CASE WHEN t.steered = 1 THEN t.claim_seq + 2 END, 'message',
                jsonb_build_object('message', t.detail, 'by', t.by, 'interrupt', false))
        ) fixed(seq, kind, data) WHERE seq IS NOT NULL
        UNION ALL
        SELECT t.middle_seq + i - 1, s.kind, CASE WHEN s.kind IN ('tool_use', 'tool_result')
            THEN s.data || jsonb_build_object('call_id', 'call_' || (i + 1) / 2) ELSE s.data END
        FROM generate_series(1, t.middle) i CROSS JOIN LATERAL (SELECT
            (%(kinds)s::text[])[1 + (t.beginning + i - 1) %% cardinality(%(kinds)s::text[])] AS kind,
            (%(datas)s::jsonb[])[1 + (t.beginning + i - 1) %% cardinality(%(kinds)s::text[])] AS data) s
        UNION ALL
        SELECT seq, kind, data FROM (VALUES
            (CASE WHEN t.is_worked THEN t.middle_seq + t.middle END, 'usage', t.usage),
            (CASE WHEN t.state NOT IN ('pending', 'running') THEN t.last_seq END,
                CASE WHEN t.state IN ('input_required', 'auth_required') THEN 'asked' ELSE t.state END,
                CASE t.state
                    WHEN 'completed' THEN
                        jsonb_build_object('result', t.result, 'session_id', t.session_id, 'usage', t.usage)
                    WHEN 'failed' THEN jsonb_build_object('error', t.error, 'code', 'agent_error',
                        'session_id', t.session_id, 'usage', t.usage)
                    WHEN 'cancelled' THEN jsonb_build_object('reason', t.why, 'by', t.by)
                    WHEN 'rejected' THEN jsonb_build_object('reason', t.why)
                    ELSE jsonb_build_object('state', t.state, 'question', 'May I go on? ' || t.detail,
                        'options', %(options)s::jsonb, 'call_id', '') END)
        ) fixed(seq, kind, data) WHERE seq IS NOT NULL
    ) e
)"""

_BATCH = f"""
WITH {_NUMBERED}, {_SHAPED}, {_TASKS}, {_LOG}
SELECT workspace_id, codebase_id, session_id, title, worker_id, created_at FROM told
WHERE n %% %(session_every)s = 0 AND is_worked AND codebase_id IS NOT NULL AND session_id <> ''"""


def seed_batch(params: Mapping[str, Any]) -> list[Sampled]:
    """Make the tasks numbered `first` to `last`; returns (workspace, codebase, session, title, worker, created) of
    some that an agent worked at. Runs as the owner of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(_BATCH, params)
        return list(cursor.fetchall())
