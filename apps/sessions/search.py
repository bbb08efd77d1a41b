"""Searching sessions by the words of their titles and messages.

What a job has taken in (`search_update`) is found, newest first, up to LOOKED_AT messages and as many titles; these are
ranked. So a word that stands everywhere costs no more than one that is rare. Words are cut to their stems (PostgreSQL,
"Full Text Search"); a question is written as in web searches: `"a phrase"`, `or`, `-without`.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.html import escape

from apps.sessions.models import SEARCH_LANGUAGE, AgentSession
from apps.sessions.selectors import session_facts, sessions_of

LOOKED_AT = 1_000
TEXT_AT_MOST = 100_000
"""Characters of a message that the search takes in; PostgreSQL bounds what it can hold."""
SNIPPET_FROM = 20_000
"""Characters of a message in which what is shown of it is sought."""
SESSIONS_AT_ONCE = 50
SECONDS_AT_ONCE = 20.0
BEGIN, END = "\x02", "\x03"
"""Around each word that was found, until the rest is safe to show as HTML."""

_FOUND = f"""
asked AS (SELECT websearch_to_tsquery('{SEARCH_LANGUAGE}', %(question)s) AS asked),
found AS MATERIALIZED (
    SELECT f.* FROM asked, unnest(%(workspaces)s::uuid[]) AS seen (workspace),
        codetether_words_found(workspace, %(codebase)s, asked, {LOOKED_AT}) f
)"""
_SHOWN = (
    f"ts_headline('{SEARCH_LANGUAGE}', left({{text}}, {SNIPPET_FROM}), asked, "
    f"'StartSel={BEGIN}, StopSel={END}, MaxFragments=2, MaxWords=25, MinWords=10')"
)
_GROUPED = """
grouped AS (
    SELECT session_id, max(rank) AS rank, max(created_at) AS at, count(message_id) AS matches,
        (array_agg(message_id ORDER BY rank DESC, created_at DESC) FILTER (WHERE message_id IS NOT NULL))[1] AS best,
        count(*) OVER () AS total
    FROM found GROUP BY session_id
    ORDER BY max(rank) DESC, max(created_at) DESC, session_id LIMIT %(limit)s OFFSET %(offset)s
)"""
_SESSIONS = f"""
WITH {_FOUND}, {_GROUPED}
SELECT g.session_id, g.rank, g.matches, m.message_id, {_SHOWN.format(text="COALESCE(m.text, s.title)")}, g.total
FROM grouped g CROSS JOIN asked JOIN agent_sessions_agentsession s ON s.id = g.session_id
LEFT JOIN agent_sessions_sessionmessage m ON m.id = g.best
ORDER BY g.rank DESC, g.at DESC, g.session_id"""
_RANKED = f"""
WITH {_FOUND}, {_GROUPED}
SELECT session_id, matches, best FROM grouped ORDER BY rank DESC, at DESC, session_id"""
_SNIPPETS = f"""
WITH asked AS (SELECT websearch_to_tsquery('{SEARCH_LANGUAGE}', %(question)s) AS asked)
SELECT m.id, m.message_id, {_SHOWN.format(text="m.text")}
FROM agent_sessions_sessionmessage m CROSS JOIN asked WHERE m.id = ANY(%(messages)s)"""
_MESSAGES = f"""
WITH {_FOUND}, page AS (
    SELECT *, count(*) OVER () AS total FROM found WHERE message_id IS NOT NULL
    ORDER BY rank DESC, created_at DESC LIMIT %(limit)s OFFSET %(offset)s
)
SELECT p.message_id, p.rank, {_SHOWN.format(text="m.text")}, p.total
FROM page p CROSS JOIN asked JOIN agent_sessions_sessionmessage m ON m.id = p.message_id
ORDER BY p.rank DESC, p.created_at DESC"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found. `snippet` is HTML: what was said, escaped, with `<mark>` around what was sought."""

    message_id: uuid.UUID
    rank: float
    snippet: str


@dataclass(frozen=True, slots=True)
class Match:
    """A session that was found: by how many messages (0: by its title alone), and the key of the best of them."""

    session: uuid.UUID
    matches: int
    best: uuid.UUID | None


def sessions_search(
    workspace_id: uuid.UUID, question: str, *, codebase_id: str = "", limit: int, offset: int = 0
) -> tuple[list[dict[str, Any]], int]:
    """(sessions that match, best first, as `session_facts` with `{rank, matches, message_id, snippet}`; how many)."""
    rows = _rows(_SESSIONS, [workspace_id], question, codebase_id, limit, offset)
    sessions = {one.pk: one for one in sessions_of(workspace_id).filter(pk__in=[row[0] for row in rows])}
    facts = [_facts(sessions[row[0]], row) for row in rows if row[0] in sessions]
    return facts, rows[0][-1] if rows else 0


def _facts(session: AgentSession, row: tuple[Any, ...]) -> dict[str, Any]:
    _, rank, matches, message_id, shown, _ = row
    found = {"rank": round(rank, 4), "matches": matches, "message_id": message_id, "snippet": _marked(shown)}
    return {**session_facts(session), **found}


def messages_search(workspace_id: uuid.UUID, question: str, *, limit: int, offset: int = 0) -> tuple[list[Hit], int]:
    """(messages that match, best first; how many)."""
    rows = _rows(_MESSAGES, [workspace_id], question, "", limit, offset)
    return [Hit(key, round(rank, 4), _marked(shown)) for key, rank, shown, _ in rows], rows[0][-1] if rows else 0


def sessions_ranked(
    workspace_ids: Sequence[uuid.UUID], question: str, *, codebase_id: str = "", limit: int
) -> list[Match]:
    """The sessions of some workspaces that match, best first."""
    return [Match(*row) for row in _rows(_RANKED, workspace_ids, question, codebase_id, limit, 0)]


def snippets_of(messages: Sequence[uuid.UUID], question: str) -> dict[uuid.UUID, tuple[str, str]]:
    """By key of each message: its id, and what of it to show, as `Hit.snippet`."""
    with connection.cursor() as cursor:
        cursor.execute(_SNIPPETS, {"messages": list(messages), "question": question})
        return {key: (message_id, _marked(shown)) for key, message_id, shown in cursor.fetchall()}


def _rows(
    sql: str, workspace_ids: Sequence[uuid.UUID], question: str, codebase_id: str, limit: int, offset: int
) -> list[tuple[Any, ...]]:
    params: Mapping[str, Any] = {
        "workspaces": list(workspace_ids),
        "question": question,
        "codebase": codebase_id,
        "limit": limit,
        "offset": offset,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _marked(shown: str) -> str:
    return escape(shown).replace(BEGIN, "<mark>").replace(END, "</mark>")


# Taking in -----------------------------------------------------------------------------------------------------------

_UNSEARCHED = """
SELECT id, synced_at FROM agent_sessions_agentsession WHERE unsearched ORDER BY synced_at LIMIT %(limit)s"""
_TAKE_IN = f"""
INSERT INTO agent_sessions_searchentry (message_id, workspace_id, session_id, created_at, digest, words)
SELECT m.id, m.workspace_id, m.session_id, m.created_at, m.digest,
    to_tsvector('{SEARCH_LANGUAGE}', left(m.text, {TEXT_AT_MOST}))
FROM agent_sessions_sessionmessage m LEFT JOIN agent_sessions_searchentry e ON e.message_id = m.id
WHERE m.session_id = ANY(%(sessions)s) AND (e.message_id IS NULL OR m.digest = '' OR e.digest <> m.digest)
ORDER BY m.id
ON CONFLICT (message_id) DO UPDATE SET created_at = excluded.created_at, digest = excluded.digest,
    words = excluded.words"""
_TAKEN_IN = """
UPDATE agent_sessions_agentsession s SET unsearched = false
FROM unnest(%(sessions)s::uuid[], %(times)s::timestamptz[]) AS seen(id, synced_at)
WHERE s.id = seen.id AND s.synced_at = seen.synced_at"""
"""Last, and only where nothing was synced meanwhile: a sync that comes in between is taken in by the next run."""


def search_update(*, seconds: float = SECONDS_AT_ONCE) -> int:
    """Take in what has been synced, for about so long; returns how many sessions it looked at.

    May run beside itself: the same words are written twice then.
    """
    until, looked = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(_UNSEARCHED, {"limit": SESSIONS_AT_ONCE})
            seen = cursor.fetchall()
            sessions = {"sessions": [one for one, _ in seen], "times": [at for _, at in seen]}
            cursor.execute(_TAKE_IN, sessions)
            cursor.execute(_TAKEN_IN, sessions)
        looked += len(seen)
        if len(seen) < SESSIONS_AT_ONCE:
            break
    return looked
