"""`Idempotency-Key`: the same POST again gives the same answer, also when both come at the same time.

The key's row is inserted first, in the transaction that does the work: a second request waits on the unique index
until the first has committed (and answers the same) or rolled back (and does the work itself). A refused request
leaves nothing behind, so it may be mended and sent again under its key.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.db import connection, transaction

from apps.accounts.models import IdempotentResponse
from apps.accounts.services import IDEMPOTENCY_KEPT
from apps.core import jsontext
from apps.core.errors import InvalidError, UnprocessableError

KEY_LIMIT = 255

_TAKE = """
INSERT INTO accounts_idempotentresponse AS kept (workspace_id, key, request_digest, created_at)
VALUES (%(workspace_id)s, %(key)s, %(digest)s, clock_timestamp())
ON CONFLICT (workspace_id, key) DO UPDATE
    SET request_digest = EXCLUDED.request_digest, status = NULL, body = NULL, created_at = EXCLUDED.created_at
    WHERE kept.created_at < clock_timestamp() - %(kept_for)s
RETURNING id"""


def digest_of(method: str, path: str, body: Mapping[str, Any]) -> str:
    """What makes two requests the same: method, path and what the body says (not how it is spelled)."""
    said = orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), said))).hexdigest()


def answer_once(
    *,
    workspace_id: uuid.UUID,
    key: str,
    digest: str,
    work: Callable[[], Mapping[str, Any]],
    shown_once: frozenset[str] = frozenset(),
) -> bytes:
    """The JSON of `work`'s answer, or of the answer given under this key in the last 24 hours.

    Fields in `shown_once` are secrets: they are not kept, so an answer given again has null there.
    UnprocessableError where the key came with another request before.
    """
    if not 0 < len(key) <= KEY_LIMIT:
        message = f"Give 1 to {KEY_LIMIT} characters."
        raise InvalidError("The Idempotency-Key is too long or empty.", errors={"Idempotency-Key": [message]})
    with transaction.atomic():
        row_id = _take(workspace_id, key, digest)
        if row_id is None:
            return _kept(workspace_id, key, digest)
        answer = work()
        kept = {**answer, **dict.fromkeys(shown_once & answer.keys())}
        IdempotentResponse.objects.filter(id=row_id).update(status=200, body=jsontext.dumps(kept).decode())
    return jsontext.dumps(answer)


def _take(workspace_id: uuid.UUID, key: str, digest: str) -> int | None:
    params: dict[str, Any] = {"workspace_id": workspace_id, "key": key, "digest": digest, "kept_for": IDEMPOTENCY_KEPT}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, params)
        row = cursor.fetchone()
    return row[0] if row else None


def _kept(workspace_id: uuid.UUID, key: str, digest: str) -> bytes:
    kept = IdempotentResponse.objects.get(workspace_id=workspace_id, key=key)
    if kept.request_digest != digest:
        raise UnprocessableError(
            "This Idempotency-Key came with another request before; use a fresh one.", code="idempotency_key_reused"
        )
    return str(kept.body).encode()
