"""Outbound HTTP: the only door by which the product calls an address that somebody gave it.

Every connection goes to an address that was checked a moment before (`apps/core/addresses.py`): the name is looked up
here, and the socket is opened to the very address that passed, so a name that changes its mind between check and
use (DNS rebinding) gains nothing. TLS and the Host header keep the name. Proxies from the environment are ignored:
they would do the looking up. Redirects are not followed; a caller that asks for it gets three, each checked alike, and
must send no credentials of its own header names.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import httpcore
import httpx
from django.conf import settings

from apps.core.addresses import Address, allow_list, is_public
from apps.core.errors import CodeTetherError

MAX_BYTES = 5_000_000
"""Of an answer's body. Answers are taken uncompressed, so that this is also what they take in memory."""
URL_LIMIT = 2_048
REDIRECTS = 3
CONNECTIONS = 100
WELL_KNOWN_OTHERS = frozenset({0, 21, 22, 23, 25, 53, 110, 111, 119, 135, 137, 139, 143, 445, 465, 587, 993, 995})
"""Ports where something else than HTTP listens and might take a request's lines for commands (mail above all)."""
HIGHEST_PORT = 65_535
"""Some resolvers pass a higher one for an address in digits, and the socket then raises what is no network's error."""
PORTS: Mapping[str, int] = {"http": 80, "https": 443}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class OutboundRefusedError(CodeTetherError):
    """An address that we do not call; `detail` names the host and what would help."""

    status, code = 422, "address_refused"


class OutboundAnswerError(httpx.TransportError):
    """An answer that is too large, or compressed although we asked for plain bytes."""


def outbound_client(
    *,
    timeout: float = 10.0,
    total: float | None = 30.0,
    max_bytes: int | None = MAX_BYTES,
    headers: Mapping[str, str] | None = None,
) -> httpx.AsyncClient:
    """A client for calls to addresses that others gave us; use it as an async context manager.

    `timeout`: seconds for each step (connect, write, each read). `total`: seconds from a request to its answer's last
    byte; None, like `max_bytes` None, is for streams. Raises OutboundRefusedError, else what httpx raises.
    """
    own = {"user-agent": f"CodeTether/{settings.VERSION}", "accept-encoding": "identity"}
    return httpx.AsyncClient(
        transport=GuardedTransport(total=total, max_bytes=max_bytes),
        timeout=timeout,
        headers={**own, **(headers or {})},
        trust_env=False,
        follow_redirects=False,
        max_redirects=REDIRECTS,
    )


async def check_url(url: str, *, field: str = "url", resolve: "Resolve | None" = None) -> None:
    """Refuse a URL that could not be called now; `field` is how the caller's request names it.

    For the moment in which an address is given, so that its giver hears of it; each call checks again.
    """
    try:
        parsed = checked(url)
        await Guard(listed_only=_is_plain(parsed), resolve=resolve).addresses(parsed.host, _port(parsed))
    except OutboundRefusedError as error:
        raise OutboundRefusedError(f"{field}: {error.detail}", errors={field: [error.detail]}) from error


def checked(url: str | httpx.URL) -> httpx.URL:
    """The URL, if its form is one that we call: http or https, a host, no user name, no port of another service."""
    if isinstance(url, str) and (len(url) > URL_LIMIT or not url.isprintable() or set(url) & set(" \\")):
        raise OutboundRefusedError(f"Give an address of at most {URL_LIMIT} characters, without blanks.")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise OutboundRefusedError("Give a whole address, such as https://example.com/hook.") from error
    if parsed.scheme not in PORTS or not parsed.host:
        raise OutboundRefusedError("Give a whole address that begins with https:// or http://.")
    if parsed.userinfo:
        raise OutboundRefusedError("Give the address without user name and password.")
    if _port(parsed) > HIGHEST_PORT:
        raise OutboundRefusedError(f"There is no port {_port(parsed)}; they end at {HIGHEST_PORT}.")
    if _port(parsed) in WELL_KNOWN_OTHERS:
        raise OutboundRefusedError(f"Port {_port(parsed)} belongs to another service than HTTP.")
    return parsed


def _port(url: httpx.URL) -> int:
    return PORTS[url.scheme] if url.port is None else url.port


def _is_plain(url: httpx.URL) -> bool:
    """Whether the scheme confines a request to what the operator has listed."""
    return bool(settings.OUTBOUND_HTTPS_ONLY) and url.scheme == "http"


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system knows them, without blocking the loop."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Guard:
    """Turns a host into addresses that may be called. `listed_only`: only those that the operator has listed."""

    def __init__(self, *, listed_only: bool = False, resolve: Resolve | None = None) -> None:
        self._listed_only = listed_only
        self._resolve = resolve or look_up

    async def addresses(self, host: str, port: int) -> list[str]:
        """At least one address that may be called, or OutboundRefusedError."""
        try:
            found = list(dict.fromkeys(await self._resolve(host, port)))
        except (OSError, UnicodeError) as error:
            raise OutboundRefusedError(f"The host {host} has no address; check its name.") from error
        listed = allow_list(tuple(settings.OUTBOUND_ALLOWED))
        good = [one for one in found if listed.lists_host(host) or self._may(ipaddress.ip_address(one))]
        if not good:
            raise OutboundRefusedError(self._why_not(host))
        return good

    def _may(self, address: Address) -> bool:
        if allow_list(tuple(settings.OUTBOUND_ALLOWED)).lists_address(address):
            return True
        return not self._listed_only and is_public(address)

    def _why_not(self, host: str) -> str:
        if self._listed_only:
            return f"The host {host} may be called by https only; an operator can list it in A2A_OUTBOUND_ALLOWED."
        return f"The host {host} is not on the public internet; an operator can list it in A2A_OUTBOUND_ALLOWED."


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Opens sockets to checked addresses only. The pool above keeps connections by name, and does TLS by name."""

    def __init__(self, guard: Guard, within: httpcore.AsyncNetworkBackend) -> None:
        self._guard = guard
        self._within = within

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the first of the host's addresses that answers; `timeout` is for all of it."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._guard.addresses(host.strip("[]"), port)
                for address in addresses[:-1]:
                    try:
                        return await self._within.connect_tcp(address, port, timeout, local_address, socket_options)
                    except httpcore.ConnectError:
                        continue
                return await self._within.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no connection within {timeout} s") from error

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise OutboundRefusedError("Sockets of this machine are not called.")

    async def sleep(self, seconds: float) -> None:
        await self._within.sleep(seconds)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Checks every request, a redirect's as well, and bounds the answer's size and time."""

    def __init__(
        self, *, total: float | None, max_bytes: int | None, resolve: Resolve | None = None, tls: Any = None
    ) -> None:
        self._total = total
        self._max_bytes = max_bytes
        self._open = _Pooled(Guard(resolve=resolve), tls)
        self._listed = _Pooled(Guard(listed_only=True, resolve=resolve), tls)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pooled = self._listed if _is_plain(checked(request.url)) else self._open
        loop = asyncio.get_running_loop()
        until = None if self._total is None else loop.time() + self._total
        try:
            async with asyncio.timeout_at(until):
                response = await pooled.handle_async_request(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer within {self._total} s", request=request) from error
        if self._max_bytes is not None and response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise OutboundAnswerError("the answer is compressed", request=request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Bounded(response.stream, request, self._max_bytes, until)
        return response

    async def aclose(self) -> None:
        await self._open.aclose()
        await self._listed.aclose()


class _Pooled(httpx.AsyncHTTPTransport):
    """httpx's own transport on a pool whose sockets are guarded; httpx has no public way to say so."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None) -> None:
        context = tls or _tls()
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=GuardedNetwork(guard, httpcore.AnyIOBackend()),
        )


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Trusts what certifi does and what this machine does (a company's own authority); costly to make."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


class _Bounded(httpx.AsyncByteStream):
    """A body that ends with an error when it grows too large or takes too long (`until`, in the loop's time)."""

    def __init__(
        self, body: httpx.AsyncByteStream, request: httpx.Request, max_bytes: int | None, until: float | None
    ) -> None:
        self._body = body
        self._request = request
        self._max_bytes = max_bytes
        self._until = until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._max_bytes
        chunks = aiter(self._body)
        while True:
            try:
                async with asyncio.timeout_at(self._until):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise httpx.ReadTimeout("the answer took too long", request=self._request) from error
            if left is not None:
                left -= len(chunk)
                if left < 0:
                    raise OutboundAnswerError(f"more than {self._max_bytes} bytes", request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()
