"""One session's messages on their way from a store to the server: cleaned, cut, and kept in a file meanwhile.

So a store is read in one go, without waiting for the network, and no session has to fit into memory.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Self

from codetether_sessions.redaction import Redactor
from codetether_sessions.shape import Json
from codetether_sessions.storable import storable

BATCH_MESSAGES = 500
BATCH_BYTES = 2_000_000
_MESSAGE_BYTES = 4_000_000
"""The server takes requests of 8 MiB; a message that is larger than this is cut harder."""
_CUTS = (200_000, 20_000, 2_000)  # characters of one text
_DIGEST_BYTES = 12

type Digested = list[tuple[str, bytes]]
"""Ids of messages, each with a digest of what is said of it."""


class Spool:
    """Takes messages in order; one whose id came before replaces it. To be used with `with`."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed by `close`)
        self._redactor = redactor
        self._places: dict[str, tuple[int, int, bytes]] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        """How many messages there are."""
        return len(self._places)

    def keep(self, message: Json) -> None:
        raw = _written(self._redactor.value(message))
        self._file.write(raw)
        self._places[message["id"]] = (self._end, len(raw), hashlib.blake2b(raw, digest_size=_DIGEST_BYTES).digest())
        self._end += len(raw)

    def batches(self, *, newest: int, but: Collection[tuple[str, bytes]]) -> Iterator[tuple[list[Any], Digested]]:
        """The `newest` messages less those in `but`, in batches that fit a request."""
        batch: list[Any] = []
        told: Digested = []
        size = 0
        for message_id, (start, length, digest) in islice(self._places.items(), max(0, len(self) - newest), None):
            if (message_id, digest) in but:
                continue
            if batch and (len(batch) >= BATCH_MESSAGES or size + length > BATCH_BYTES):
                yield batch, told
                batch, told, size = [], [], 0
            self._file.seek(start)
            batch.append(json.loads(self._file.read(length)))
            told.append((message_id, digest))
            size += length
        if batch:
            yield batch, told


def _written(message: Json) -> bytes:
    """The message as JSON, its texts cut as far as it takes; of one that is still too large only the head."""
    for limit in _CUTS:
        raw = json.dumps(storable(message, limit=limit), ensure_ascii=False, allow_nan=False).encode()
        if len(raw) <= _MESSAGE_BYTES:
            return raw
    head = {name: message.get(name) for name in ("id", "role", "created_at")}
    return json.dumps({**head, "content": "[cut: the message is too large]"}, ensure_ascii=False).encode()
