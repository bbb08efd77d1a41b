"""Files over HTTP: sent in pieces, as attachments, so that no browser takes a stranger's file for a page of ours.

Ranges and conditions as RFC 9110 §13 and §14 have them, one range at a time.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from django.utils.http import content_disposition_header
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.files.errors import RangeError
from apps.files.models import StoredFile
from apps.files.naming import last_step
from apps.files.selectors import file_get, file_piece
from apps.files.storage import CHUNK_BYTES

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of a file that are sent: `length` of them from `start` on."""

    start: int
    length: int


async def file_send(request: Request, principal: Principal) -> Response:
    """GET and HEAD of a file."""
    file = await in_database(file_get, workspace_id=principal.workspace_id, file_id=request.path_params["file_id"])
    headers = headers_of(file)
    if _is_known(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    part = _part_wanted(request.headers, file, headers["ETag"])
    status = 200
    if part is None:
        part = Part(0, file.size)
    else:
        status = 206
        headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{file.size}"
    headers["Content-Length"] = str(part.length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    first = await in_database(file_piece, file, part.start, min(part.length, CHUNK_BYTES))  # an error can be told yet
    return StreamingResponse(_pieces(file, part, first), status, headers)


def headers_of(file: StoredFile) -> dict[str, str]:
    """What tells about a file, and keeps a browser from running it."""
    return {
        "Content-Type": file.media_type,
        "Content-Disposition": str(content_disposition_header(as_attachment=True, filename=last_step(file.name))),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
        "ETag": f'"{file.sha256}"',
    }


def _is_known(headers: Mapping[str, str], etag: str) -> bool:
    asked = [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]
    return etag in asked or asked == ["*"]


def _part_wanted(headers: Mapping[str, str], file: StoredFile, etag: str) -> Part | None:
    """The range that is asked for; None for the whole, also where the range is none that we understand."""
    wanted = _RANGE.fullmatch(headers.get("range", "").strip())
    if wanted is None or headers.get("if-range", etag) != etag or wanted.groups() == ("", ""):
        return None
    first, last = wanted.groups()
    if not first:  # the last so many
        start, end = max(0, file.size - int(last)), file.size - 1
    else:
        start, end = int(first), min(int(last), file.size - 1) if last else file.size - 1
        if last and int(last) < start:
            return None
    if start > end:
        raise RangeError(f"The file has {file.size} bytes.")
    return Part(start, end - start + 1)


async def _pieces(file: StoredFile, part: Part, first: bytes) -> AsyncGenerator[bytes]:
    """The part, a chunk at a time; each is fetched when the one before has gone out."""
    yield first
    place, end = part.start + len(first), part.start + part.length
    while place < end:
        piece = await in_database(file_piece, file, place, min(CHUNK_BYTES, end - place))
        yield piece
        place += len(piece)
