"""Looking for words in one task's log. Reads that task's events by their primary key and nothing else."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.patterns import holding, holding_in_json
from apps.core.prepared import execute

HITS = 200
AROUND = 60

_FOUND = """
SELECT e.seq, e.kind, said.text FROM tasks_taskevent e
CROSS JOIN LATERAL (
    SELECT value #>> '{}' AS text FROM jsonb_path_query(e.data, 'strict $.** ? (@.type() == "string")') AS value
    WHERE value #>> '{}' ILIKE %(like)s LIMIT 1
) said
WHERE e.task_id = %(task_id)s AND e.data::text ILIKE %(quoted)s
ORDER BY e.seq DESC LIMIT %(limit)s"""


@dataclass(frozen=True, slots=True)
class Hit:
    """An event in which the words are; `excerpt` is what stands around them."""

    seq: int
    kind: str
    excerpt: str


def log_search(task_id: uuid.UUID, words: str) -> list[Hit]:
    """The latest HITS events of a task whose texts hold `words` (whatever their case), in the log's order.

    Words that an agent's program sent in several pieces are not found: each event is looked at by itself.
    """
    if not words.strip():
        return []
    params: Mapping[str, Any] = {
        "task_id": task_id,
        "like": holding(words),
        "quoted": holding_in_json(words),
        "limit": HITS,
    }
    return [Hit(seq, kind, _excerpt(text, words)) for seq, kind, text in reversed(execute(_FOUND, params))]


def _excerpt(text: str, words: str) -> str:
    at = max(0, text.lower().find(words.lower()))
    piece = text[max(0, at - AROUND) : at + len(words) + AROUND]
    return ("…" if at > AROUND else "") + " ".join(piece.split())
