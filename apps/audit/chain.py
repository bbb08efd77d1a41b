"""What an entry's hash covers: SHA-256 of the hash before, the number, the time and the words in one spelling."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

GENESIS = bytes(32)
"""What the first entry of a chain follows."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT_LIMIT = 2000


def spelling(
    *, action: str, outcome: str, actor: str, target: str, address: str, request_id: str, details: Mapping[str, Any]
) -> str:
    """The words of an entry as one JSON text; the same whether they come from the caller or out of the database."""
    words = [action, outcome, actor, target, address, request_id, details]
    return orjson.dumps(words, option=orjson.OPT_SORT_KEYS).decode()


def hash_of(before: bytes, seq: int, at: datetime, words: str) -> bytes:
    """What the statement in `record` computes, computed here."""
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    return hashlib.sha256(before + f"{seq}\n{micros}\n{words}".encode()).digest()


def plain(value: Any) -> Any:
    """Details as the database gives them back to the letter: texts (bounded), whole numbers, truth, lists, objects."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_text(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _text(value)


def _text(value: Any) -> str:
    return str(value).replace("\0", "�").encode("utf-8", "replace").decode()[:_TEXT_LIMIT]
