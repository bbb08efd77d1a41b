"""Words in one session: as they stand, in whatever its messages say or tools gave back, or by their stems (search.py).

Every message of the session is looked at: a session has thousands of them, not millions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.core.patterns import holding, holding_in_json
from apps.sessions.models import SEARCH_LANGUAGE, AgentSession
from apps.sessions.search import BEGIN, END, SNIPPET_FROM

HITS = 200
_MARKED = re.compile(f"{BEGIN}(.*?){END}", re.DOTALL)

_FOUND = f"""
WITH asked AS (SELECT websearch_to_tsquery('{SEARCH_LANGUAGE}', %(words)s) AS asked), placed AS MATERIALIZED (
    SELECT m.id, m.message_id, row_number() OVER (ORDER BY m.created_at, m.message_id) AS place
    FROM agent_sessions_sessionmessage m WHERE m.session_id = %(session)s
), literal AS MATERIALIZED (
    SELECT p.id FROM placed p JOIN agent_sessions_sessionmessage m ON m.id = p.id WHERE m.text ILIKE %(like)s
    UNION SELECT p.id FROM placed p JOIN agent_sessions_sessionpart s ON s.message_id = p.id
    WHERE s.data::text ILIKE %(quoted)s AND EXISTS (
        SELECT FROM jsonb_path_query(s.data, 'strict $.** ? (@.type() == "string")') AS value
        WHERE value #>> '{{}}' ILIKE %(like)s)
), found AS (
    SELECT id, true AS is_literal FROM literal
    UNION ALL SELECT e.message_id, false FROM agent_sessions_searchentry e, asked
    WHERE e.session_id = %(session)s AND e.words @@ asked AND e.message_id NOT IN (SELECT id FROM literal)
), latest AS (
    SELECT p.place, p.message_id, f.is_literal, p.id FROM found f JOIN placed p ON p.id = f.id
    ORDER BY p.place DESC LIMIT %(limit)s
)
SELECT l.place, l.message_id, CASE WHEN NOT l.is_literal THEN ts_headline('{SEARCH_LANGUAGE}',
    left(m.text, {SNIPPET_FROM}), asked, 'StartSel={BEGIN}, StopSel={END}, MaxFragments=3') END
FROM latest l JOIN agent_sessions_sessionmessage m ON m.id = l.id CROSS JOIN asked ORDER BY l.place"""


@dataclass(frozen=True, slots=True)
class Place:
    """A message in which words were found: its place in the session (from 1), its id, and the words as it has them."""

    place: int
    message_id: str
    words: list[str]


def session_words(session: AgentSession, words: str) -> list[Place]:
    """The latest HITS messages of a session that hold `words`, in their order."""
    if not words.strip():
        return []
    params: Mapping[str, Any] = {
        "session": session.pk,
        "words": words,
        "like": holding(words),
        "quoted": holding_in_json(words),
        "limit": HITS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, params)
        rows = cursor.fetchall()
    return [Place(place, key, [words] if shown is None else _found(shown)) for place, key, shown in rows]


def _found(shown: str) -> list[str]:
    return sorted(set(_MARKED.findall(shown)))
