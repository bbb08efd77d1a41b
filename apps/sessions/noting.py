"""Writing synced messages: the one statement by hand of this app, for hundreds of messages at a time.

The ORM made a row object and a dozen parameters of each message and part, which cost more than the database's own work.
Here a batch is one JSON document, which PostgreSQL takes apart. Messages that are stored as they come again are found
by their digest, and neither written nor sent.
"""

import uuid
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import uuid_utils
from django.db import connection

from apps.core import jsontext
from apps.sessions.reading import SyncedMessage

ROWS_AT_ONCE = 1000
_DIGEST_BYTES = 16

_KNOWN = "SELECT message_id, digest FROM agent_sessions_sessionmessage WHERE session_id = %s AND message_id = ANY(%s)"
_NOTE = """
WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(batch)s::jsonb) AS one (
        id uuid, digest text, part_keys uuid[], message_id text, role text, model text, text text, usage jsonb,
        data jsonb, created_at timestamptz, parts jsonb
    )
), noted AS (
    INSERT INTO agent_sessions_sessionmessage
        (id, workspace_id, session_id, message_id, role, model, text, usage, data, created_at, digest)
    SELECT id, %(workspace)s, %(session)s, message_id, role, model, text, usage, data, created_at, digest
    FROM given ORDER BY message_id
    ON CONFLICT (session_id, message_id) DO UPDATE SET
        role = excluded.role, model = excluded.model, text = excluded.text, usage = excluded.usage,
        data = excluded.data, created_at = excluded.created_at, digest = excluded.digest
    RETURNING id, message_id
)
INSERT INTO agent_sessions_sessionpart AS stored (id, workspace_id, message_id, part_id, index, kind, data)
SELECT given.part_keys[part.place], %(workspace)s, noted.id, part.part_id, part.place - 1, part.kind, part.data
FROM noted JOIN given USING (message_id), ROWS FROM (
    jsonb_to_recordset(given.parts) AS (part_id text, kind text, data jsonb)
) WITH ORDINALITY AS part (part_id, kind, data, place)
ON CONFLICT (message_id, part_id) DO UPDATE SET index = excluded.index, kind = excluded.kind, data = excluded.data
WHERE (stored.index, stored.kind, stored.data) IS DISTINCT FROM (excluded.index, excluded.kind, excluded.data)
"""
"""Who syncs the same session at the same time waits for the rows of its messages, which all lock in one order."""


def note_messages(*, workspace_id: uuid.UUID, session_pk: uuid.UUID, messages: Sequence[SyncedMessage]) -> int:
    """Insert or replace the messages that are not stored just so; returns how many those were."""
    written = 0
    with connection.cursor() as cursor:
        for start in range(0, len(messages), ROWS_AT_ONCE):
            some = messages[start : start + ROWS_AT_ONCE]
            cursor.execute(_KNOWN, [session_pk, [message.message_id for message in some]])
            batch = list(_changed(some, dict(cursor.fetchall())))
            if batch:
                document = f"[{','.join(batch)}]"
                cursor.execute(_NOTE, {"batch": document, "workspace": workspace_id, "session": session_pk})
            written += len(batch)
    return written


def _changed(messages: Sequence[SyncedMessage], known: dict[str, str]) -> Iterator[str]:
    """The messages with other digests than the known ones, as JSON with new keys for their rows."""
    for message in messages:
        said = jsontext.dumps(message)
        digest = blake2b(said, digest_size=_DIGEST_BYTES).hexdigest()
        if known.get(message.message_id) != digest:
            keys = ",".join([f'"{uuid_utils.uuid7()}"' for _ in message.parts])
            rows = f'"id":"{uuid_utils.uuid7()}","digest":"{digest}","part_keys":[{keys}]'
            yield f"{{{rows},{said[1:].decode()}"
