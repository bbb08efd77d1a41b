"""Calls to the control plane: one HTTP connection pool, typed answers, typed failures."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import httpx

from codetether_worker import __version__
from codetether_worker.backoff import Backoff
from codetether_worker.errors import ServerRefused, ServerUnreachable, StaleClaim, Unauthorized, WorkerUnknown
from codetether_worker.protocol import Claim, HeartbeatReply, RegisteredCodebase, Registration

log = logging.getLogger(__name__)

LONGEST_WAIT = 30.0  # seconds without an answer
_TIMEOUT = httpx.Timeout(LONGEST_WAIT, connect=10.0)
_WAIT_CAP = 300.0
CHUNK = 256 * 1024  # bytes of a file that are in memory at once


class ControlPlane:
    """The worker protocol, one method for each call.

    Every method raises ServerUnreachable when no usable answer came, and ServerRefused (or a subclass) for a
    4xx. `tries` counts the attempts within one call; callers with their own loop use 1.
    """

    def __init__(self, server_url: str, token: str | None, *, worker_id: str) -> None:
        headers = {"User-Agent": f"codetether-worker/{__version__}", "X-Worker-ID": worker_id}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.worker_id = worker_id
        self._own_path = f"/v1/opencode/workers/{quote(worker_id, safe='')}"
        self._http = httpx.AsyncClient(base_url=server_url, headers=headers, timeout=_TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def register(self, body: Mapping[str, Any]) -> Registration:
        return _read(Registration.parse, await self.call("POST", "/v1/opencode/workers/register", body, tries=1))

    async def unregister(self) -> None:
        await self.call("POST", f"{self._own_path}/unregister", {}, tries=2)

    async def confirm_codebase(
        self, *, name: str, path: str, codebase_id: str | None = None, tries: int = 4
    ) -> RegisteredCodebase:
        """Say that the folder is on this machine. The same path gives the same codebase again."""
        body: dict[str, Any] = {"name": name, "path": path, "worker_id": self.worker_id}
        if codebase_id:
            body["codebase_id"] = codebase_id
        answer = await self.call("POST", "/v1/opencode/codebases", body, tries=tries)
        return RegisteredCodebase.parse(answer.get("codebase") or {})

    async def set_codebases(self, codebase_ids: Sequence[str]) -> None:
        body = {"worker_id": self.worker_id, "codebases": list(codebase_ids)}
        await self.call("PUT", "/v1/worker/codebases", body, tries=4)

    async def tell_trees(self, trees: Sequence[Mapping[str, Any]], *, held: Sequence[str] | None) -> None:
        """Say how working trees stand; `held` are the ids of all that this worker has, where it says so."""
        body: dict[str, Any] = {"worker_id": self.worker_id, "trees": [dict(tree) for tree in trees]}
        if held is not None:
            body["held"] = list(held)
        await self.call("PUT", "/v1/worker/working-trees", body, tries=1)

    async def claim(self, *, limit: int, exclude_codebases: Sequence[str]) -> list[Claim]:
        """Up to `limit` tasks that are this worker's from now on. Not retried here: see Intake."""
        body: dict[str, Any] = {"worker_id": self.worker_id, "limit": limit}
        if exclude_codebases:
            body["exclude_codebases"] = list(exclude_codebases)
        answer = await self.call("POST", "/v1/worker/tasks/claim", body, tries=1)
        return _read(lambda body: [Claim.parse(item) for item in body.get("tasks") or []], answer)

    async def heartbeat(
        self, claims: Sequence[Mapping[str, Any]], *, status: str, limit: float = LONGEST_WAIT
    ) -> HeartbeatReply:
        """Given up after `limit` seconds."""
        body = {"claims": [dict(claim) for claim in claims], "status": status}
        path = f"{self._own_path}/heartbeat"
        try:
            async with asyncio.timeout(limit):
                return _read(HeartbeatReply.parse, await self.call("POST", path, body, tries=1))
        except TimeoutError as error:
            raise ServerUnreachable(f"no answer within {limit:.1f} s") from error

    async def post_events(self, task_id: str, body: Mapping[str, Any]) -> None:
        path = f"/v1/worker/tasks/{quote(task_id, safe='')}/events"
        await self.call("POST", path, {"worker_id": self.worker_id, **body}, tries=1)

    async def release(self, body: Mapping[str, Any]) -> None:
        await self.call("POST", "/v1/worker/tasks/release", {"worker_id": self.worker_id, **body}, tries=1)

    async def sync_sessions(self, codebase_id: str, *, source: str, sessions: Sequence[Mapping[str, Any]]) -> None:
        """Say which sessions of a codebase are here, and of which program (`source`)."""
        body = {"worker_id": self.worker_id, "source": source, "sessions": list(sessions)}
        await self.call("POST", f"/v1/opencode/codebases/{quote(codebase_id, safe='')}/sessions/sync", body, tries=2)

    async def sync_messages(self, codebase_id: str, session_id: str, messages: Sequence[Mapping[str, Any]]) -> None:
        """Send messages of a session that the server knows of; one that it has is replaced."""
        path = f"/v1/opencode/codebases/{quote(codebase_id, safe='')}/sessions/{quote(session_id, safe='')}"
        body = {"worker_id": self.worker_id, "messages": list(messages)}
        await self.call("POST", f"{path}/messages/sync", body, tries=2)

    async def download(self, file_id: str, target: Path, *, limit: int) -> str:
        """Save a file of the server under `target`; returns its SHA-256. What goes beyond `limit` bytes is cut off."""
        return await self._persist(lambda: self._download_once(file_id, target, limit))

    async def _download_once(self, file_id: str, target: Path, limit: int) -> str:
        digest, left = hashlib.sha256(), limit
        try:
            async with self._http.stream("GET", f"/v1/worker/files/{quote(file_id, safe='')}") as response:
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    _check(response)
                with await asyncio.to_thread(target.open, "wb") as saved:
                    async for chunk in response.aiter_bytes(CHUNK):
                        digest.update(chunk[:left])
                        await asyncio.to_thread(saved.write, chunk[:left])
                        left -= min(left, len(chunk))
        except httpx.HTTPError as error:
            raise ServerUnreachable(_describe(error)) from error
        return digest.hexdigest()

    async def upload(self, task_id: str, claim_token: str, *, name: str, media_type: str, content: BinaryIO) -> str:
        """Send a file of a task; returns its id. The same content under the same name again gives the same id."""
        path = f"/v1/worker/tasks/{quote(task_id, safe='')}/files"
        size = await asyncio.to_thread(content.seek, 0, os.SEEK_END)
        headers = {"X-Claim-Token": claim_token, "Content-Type": media_type, "Content-Length": str(size)}

        async def once() -> str:
            content.seek(0)
            answer = await self._once("POST", path, params={"name": name}, headers=headers, content=_chunks(content))
            return _read(lambda body: str(body["file"]["id"]), answer)

        return await self._persist(once)

    async def _persist[T](self, once: Callable[[], Awaitable[T]], *, tries: int = 4) -> T:
        """Do something up to `tries` times with backoff while the server is out of reach."""
        backoff = Backoff()
        while True:
            tries -= 1
            try:
                return await once()
            except ServerUnreachable as error:
                if tries <= 0:
                    raise
                delay = backoff.next_delay(error.retry_after)
                log.debug("%s; again in %.1f s", error, delay)
                await asyncio.sleep(delay)

    @asynccontextmanager
    async def open_stream(
        self,
        *,
        agent_name: str | None,
        codebases: Sequence[str],
        capabilities: Sequence[str],
        silence_limit: float,
    ) -> AsyncIterator[httpx.Response]:
        """The open event stream; reading from it times out after `silence_limit` seconds without a byte."""
        query = {"worker_id": self.worker_id} | ({"agent_name": agent_name} if agent_name else {})
        headers = {
            "Accept": "text/event-stream",
            "X-Codebases": ",".join(codebases),
            "X-Capabilities": ",".join(capabilities),
        }
        timeout = httpx.Timeout(silence_limit, connect=10.0)
        request = self._http.stream("GET", "/v1/worker/tasks/stream", params=query, headers=headers, timeout=timeout)
        try:
            async with request as response:
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    _check(response)
                yield response
        except httpx.HTTPError as error:
            raise ServerUnreachable(_describe(error)) from error

    async def call(self, method: str, path: str, body: Mapping[str, Any], *, tries: int) -> dict[str, Any]:
        """One JSON call, tried up to `tries` times with backoff while the server is out of reach."""
        return await self._persist(lambda: self._once(method, path, json=dict(body)), tries=tries)

    async def _once(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            response = await self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise ServerUnreachable(_describe(error)) from error
        _check(response)
        try:
            answer = response.json()
        except ValueError as error:
            raise ServerUnreachable(f"{path} answered with something that is not JSON") from error
        return answer if isinstance(answer, dict) else {}


async def _chunks(content: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(content.read, CHUNK):
        yield chunk


def _read[T](parse: Callable[[Mapping[str, Any]], T], body: Mapping[str, Any]) -> T:
    """An answer that is not what the protocol says counts as no answer."""
    try:
        return parse(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServerUnreachable(f"the server's answer cannot be read: {error!r}") from error


def _describe(error: httpx.HTTPError) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _check(response: httpx.Response) -> None:
    """Turn a status that is not 2xx into the error that says who must act."""
    status = response.status_code
    if 200 <= status < 300:
        return
    code, detail = _problem(response)
    if status in (408, 425, 429) or status >= 500:
        raise ServerUnreachable(f"HTTP {status}: {detail}", retry_after=_retry_after(response))
    if status in (401, 403):
        raise Unauthorized(status, code, detail)
    if status == 409 and code == "stale_claim":
        raise StaleClaim(status, code, detail)
    if status == 404 and code == "worker_not_found":
        raise WorkerUnknown(status, code, detail)
    raise ServerRefused(status, code, detail)


def _problem(response: httpx.Response) -> tuple[str, str]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return "unknown", response.reason_phrase or "no details"
    return str(body.get("code") or "unknown"), str(body.get("detail") or response.reason_phrase)


def _retry_after(response: httpx.Response) -> float | None:
    """Retry-After in seconds (RFC 9110 section 10.2.3: a number or an HTTP date), at most five minutes."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _WAIT_CAP)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), _WAIT_CAP)
