"""Made-up sessions with messages, by set-based statements: for demonstrations, and to measure what much data costs."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from apps.core import jsontext
from apps.core.tenancy import AS_OWNER, acting

AT_ONCE = 500
TURNS_AT_MOST = 11
"""A session holds up to so many turns: what a person says, and what the agent answers."""

SENTENCES = [
    "The {} loses half a cent whenever three lines are added.", "I read the {} first, then its callers.",
    "There is a second copy of the {} in the old importer.", "Please leave the {} as it is for now.",
    "The test for the {} passes alone and fails beside the others.", "I renamed the {} and kept the old name working.",
    "Nobody has touched the {} for two years.", "Could you explain why the {} is cached at all?",
    "The log shows that the {} is asked four times for one page.", "With an index the {} takes 4 ms instead of 900.",
    "I have written a migration for the {}, and one that takes it back.", "The {} must also work without a network.",
    "Somebody in support said the {} shows yesterday's prices.", "Now the {} is tested with real receipts.",
    "The types of the {} were wrong in two places.", "After the change the {} needs half the memory.",
]  # fmt: skip
NOUNS = ["till", "invoice export", "search index", "login page", "booking calendar", "webhook retry", "image pipeline",
         "tax table", "warehouse sync", "mail template", "price feed", "audit report", "menu", "payment callback",
         "backup", "rate limiter", "address form", "forecast", "returns desk", "loyalty account", "customs paper",
         "delivery map", "backlog", "currency cache", "gazebo", "harbour list", "quarterly summary", "voucher",
         "barcode reader", "shelf plan", "cold store", "courier label"]  # fmt: skip

DIFF = """--- shop/totals.py
+++ shop/totals.py
@@ -12,2 +12,2 @@
 def total(lines):
-    return sum(round(line.price, 2) for line in lines)
+    return round(sum(line.price for line in lines), 2)
"""
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("bash", {"status": "completed", "input": {"command": "pytest -q tests/test_totals.py"},
              "title": "Run the tests of totals", "output": "1 failed, 11 passed in 0.42s"}),
    ("edit", {"status": "completed", "input": {"filePath": "shop/totals.py"}, "output": "Edit applied.",
              "metadata": {"diff": DIFF}}),
    ("read", {"status": "error", "input": {"filePath": "shop/total.py"}, "error": "There is no such file."}),
]  # fmt: skip
"""What agents do in made-up sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSession:
    """What a made-up session is to be of."""

    workspace_id: uuid.UUID
    codebase_id: str
    session_id: str
    title: str
    worker_id: str
    created_at: Any


_GIVEN = """
given AS (
    SELECT *, ('x' || substr(md5(session_id || %(seed)s), 1, 8))::bit(32)::bigint AS mark
    FROM unnest(%(ids)s::uuid[], %(workspaces)s::uuid[], %(codebases)s::text[], %(sessions)s::text[],
        %(titles)s::text[], %(workers)s::text[], %(moments)s::timestamptz[])
        AS one(id, workspace_id, codebase_id, session_id, title, worker_id, at)
), sized AS (
    SELECT *, 2 * (1 + mark %% %(turns)s)::int AS messages, (%(models)s::text[])[1 + mark %% 3] AS model FROM given
)"""

_SESSIONS = f"""
WITH {_GIVEN}
INSERT INTO agent_sessions_agentsession (id, workspace_id, codebase_id, session_id, parent_id, forked_from, title,
    source, agent, model, directory, worker_id, message_count, usage, created_at, updated_at, synced_at)
SELECT id, workspace_id, codebase_id, session_id, '', '', title, 'opencode', 'build', model, '/code', worker_id,
    messages, jsonb_build_object('input_tokens', messages * 900, 'output_tokens', messages * 150), at,
    at + messages * interval '20 seconds', at + messages * interval '20 seconds'
FROM sized ORDER BY id"""

_MESSAGES = f"""
WITH {_GIVEN}, numbered AS (
    SELECT s.*, i, hashint8extended(i, mark) & 1073741823 AS dice FROM sized s, generate_series(1, messages) i
), said AS (
    SELECT n.*, (SELECT string_agg(replace((%(sentences)s::text[])[1 + (d >> 5) %% cardinality(%(sentences)s::text[])],
            '{{}}', (%(nouns)s::text[])[1 + d %% cardinality(%(nouns)s::text[])]), ' ')
        FROM (SELECT hashint8extended(j, dice) & 1073741823 AS d
            FROM generate_series(1, CASE WHEN i %% 2 = 1 THEN 2 ELSE 4 + dice %% 5 END) j) drawn) AS text
    FROM numbered n
), messages AS (
    INSERT INTO agent_sessions_sessionmessage
        (id, workspace_id, session_id, message_id, role, model, text, usage, data, created_at, digest)
    SELECT md5(id::text || i)::uuid, workspace_id, id, 'msg_' || lpad(i::text, 5, '0'),
        CASE WHEN i %% 2 = 1 THEN 'user' ELSE 'assistant' END, CASE WHEN i %% 2 = 1 THEN '' ELSE model END, text,
        CASE WHEN i %% 2 = 1 THEN '{{}}'::jsonb
            ELSE jsonb_build_object('input_tokens', 900 + dice %% 4000, 'output_tokens', 150 + dice %% 700) END,
        '{{}}', at + i * interval '20 seconds', ''
    FROM said
)
INSERT INTO agent_sessions_sessionpart (id, workspace_id, message_id, part_id, index, kind, data)
SELECT md5(id::text || i || p.name)::uuid, workspace_id, md5(id::text || i)::uuid, p.name, p.place, p.kind, p.data
FROM said CROSS JOIN LATERAL (VALUES
    ('prt_1', 0, 'text', jsonb_build_object('text', text)),
    (CASE WHEN i %% 4 = 0 THEN 'prt_2' END, 1, 'tool',
        (%(calls)s::jsonb[])[1 + i / 4 %% cardinality(%(calls)s::jsonb[])])
) p(name, place, kind, data) WHERE p.name IS NOT NULL"""


def sessions_seed(*, sessions: Sequence[SeedSession], models: Sequence[str], seed: int) -> int:
    """Make these sessions, about twelve messages each; returns how many messages there are."""
    before = _count()
    with acting(AS_OWNER):
        for start in range(0, len(sessions), AT_ONCE):
            params = _params(sessions[start : start + AT_ONCE], models, seed)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_SESSIONS, params)
                cursor.execute(_MESSAGES, params)
        with connection.cursor() as cursor:
            for table in ("agentsession", "sessionmessage", "sessionpart"):
                cursor.execute(f"ANALYZE agent_sessions_{table}")
    return _count() - before


def _params(sessions: Sequence[SeedSession], models: Sequence[str], seed: int) -> dict[str, Any]:
    return {
        "seed": str(seed),
        "turns": TURNS_AT_MOST,
        "models": [models[n % len(models)] for n in range(3)],
        "sentences": SENTENCES,
        "nouns": NOUNS,
        "calls": [jsontext.dumps({"tool": tool, "state": state}).decode() for tool, state in CALLS],
        "ids": [uuid.uuid5(session.workspace_id, session.session_id) for session in sessions],
        "workspaces": [session.workspace_id for session in sessions],
        "codebases": [session.codebase_id for session in sessions],
        "sessions": [session.session_id for session in sessions],
        "titles": [session.title for session in sessions],
        "workers": [session.worker_id for session in sessions],
        "moments": [session.created_at for session in sessions],
    }


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM agent_sessions_sessionmessage")
        return int(cursor.fetchone()[0])
