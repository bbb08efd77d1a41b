"""Requests written to a socket as they are, and what comes back; also requests that are no proper HTTP at all."""

import asyncio
import re
from collections.abc import Callable

from tests.fuzz.calls import Sent
from tests.fuzz.verdict import Answer, UnfitAnswer

PATIENCE = 20.0
SILENCE = 0.3
"""Seconds that a stream may say nothing until we leave."""
_HEAD_END = b"\r\n\r\n"


async def ask(port: int, sent: Sent) -> Answer:
    """The answer; TimeoutError where there is none in time."""
    sized = (*sent.headers, (b"content-length", b"%d" % len(sent.body)))
    lines = b"".join(b"%s: %s\r\n" % pair for pair in sized)
    raw = b"%s %s HTTP/1.1\r\n%s\r\n%s" % (sent.verb.encode(), sent.target, lines, sent.body)
    return _read(await talk(port, raw, head_only=sent.verb == "HEAD"))


async def talk(port: int, raw: bytes, *, head_only: bool = False, close_after: float | None = None) -> bytes:
    """What the server says until its answer is whole, it hangs up, or a stream has told something or been silent.

    `close_after` seconds we hang up ourselves: for requests of which no end can come.
    """
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(raw)
            if close_after is None:
                return await _hear(reader, head_only)
            try:
                async with asyncio.timeout(close_after):
                    return await _hear(reader, head_only)
            except TimeoutError:
                return b""
        except ConnectionError:  # it refuses before it has read everything
            return b""
        finally:
            writer.transport.abort()


async def _hear(reader: asyncio.StreamReader, head_only: bool) -> bytes:
    said = b""
    while True:
        streams = b"content-type: text/event-stream" in said.partition(_HEAD_END)[0].lower()
        try:
            async with asyncio.timeout(SILENCE if streams else None):
                piece = await reader.read(65_536)
        except TimeoutError:
            return said
        said += piece
        if not piece or _is_whole(said, head_only):
            return said


def _is_whole(said: bytes, head_only: bool) -> bool:
    """Whether the answer has come; a stream's has with its first event."""
    head, end, body = said.partition(_HEAD_END)
    if length := re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE):
        return bool(end) and (head_only or len(body) >= int(length[1]))
    told = b"\ndata: " in body and body.endswith(b"\n\n\r\n")
    return bool(end) and (head_only or told or body.endswith(b"0\r\n\r\n"))


def _read(said: bytes) -> Answer:
    head, end, body = said.partition(_HEAD_END)
    if not end:
        raise UnfitAnswer(f"no answer: {said[:100]!r}")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    return Answer(int(first.split()[1]), headers, body)


def _unchunked(body: bytes) -> bytes:
    """The chunks together, as far as they have come (RFC 9112 §7.1)."""
    whole = b""
    while size := body.partition(b"\r\n")[0]:
        at = len(size) + 2
        whole += body[at : at + int(size, 16)]
        body = body[at + int(size, 16) + 2 :]
    return whole


# No proper HTTP ------------------------------------------------------------------------------------------------------

_POST = (
    b"POST /a2a/jsonrpc HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
)
_BODY = b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": "none"}}'
_SIZE = len(_BODY)
LIES: dict[str, Callable[[bytes], bytes]] = {
    "body shorter than announced": lambda post: post + b"Content-Length: %d\r\n\r\n" % (_SIZE + 10) + _BODY,
    "body longer than announced": lambda post: post + b"Content-Length: %d\r\n\r\n" % (_SIZE - 10) + _BODY,
    "negative length": lambda post: post + b"Content-Length: -1\r\n\r\n" + _BODY,
    "length in words": lambda post: post + b"Content-Length: all\r\n\r\n" + _BODY,
    "length beyond the limit": lambda post: post + b"Content-Length: 99999999999\r\n\r\n" + _BODY,
    "length beyond any number": lambda post: post + b"Content-Length: %s\r\n\r\n" % (b"9" * 40) + _BODY,
    "two lengths": lambda post: post + b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n" % _SIZE + _BODY,
    "length and chunks": lambda post: (
        post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (_SIZE, _BODY)
    ),
    "chunks of no size": lambda post: post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + _BODY,
    "chunks without end": lambda post: post + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (_SIZE, _BODY),
    "cut in the headers": lambda post: post + b"Content-Le",
    "no colon": lambda post: post + b"nonsense\r\n\r\n",
    "NUL in a header": lambda post: post + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n",
    "huge header": lambda post: post + b"X-A: " + b"x" * 300_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "many headers": lambda post: post + b"X-A: a\r\n" * 5_000 + b"Content-Length: 0\r\n\r\n",
    "no HTTP": lambda post: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50,
    "the preface of HTTP/2": lambda post: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "old HTTP": lambda post: b"GET /a2a/rest/tasks\r\n\r\n",
    "raw bytes in the path": lambda post: b"GET /a2a/rest/tasks/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a whole address as path": lambda post: b"GET http://[::1/a2a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a star as path": lambda post: b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "upgrade to nothing": lambda post: post + b"Connection: Upgrade\r\nUpgrade: none\r\nContent-Length: 0\r\n\r\n",
    "waiting for 100": lambda post: post + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % _SIZE,
    "left at once": lambda post: post + b"Content-Length: 1000000\r\n\r\n",
}
HANG_UP_SECONDS = 0.5


async def lie(port: int, name: str, token: str) -> str:
    """How the server takes it: the status that it answers, or silence (then we hang up)."""
    said = await talk(port, LIES[name](_POST % token.encode()), close_after=HANG_UP_SECONDS)
    statuses = re.findall(rb"^HTTP/1\.1 (\d+)", said, re.MULTILINE)
    if any(status.startswith(b"5") for status in statuses) or b"Traceback" in said:
        raise UnfitAnswer(f"{name}: {said[:300]!r}")
    return f"no HTTP: {statuses[0].decode()}" if statuses else "no HTTP: hung up"
