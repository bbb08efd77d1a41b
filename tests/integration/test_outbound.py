"""Outbound calls: only to checked addresses, to the very ones that were checked, and with an end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
import pytest_asyncio

from apps.core.outbound import (
    GuardedTransport,
    OutboundAnswerError,
    OutboundRefusedError,
    check_url,
    outbound_client,
)
from tests.fakes.webhook import Call, Receiver, receiving

pytestmark = pytest.mark.asyncio
LOOPBACK = ["127.0.0.0/8"]


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def loopback_listed(settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = LOOPBACK


class Names:
    """A resolver whose answer changes with every question; the last one stays."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


def client_of(names: Names) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=GuardedTransport(total=5, max_bytes=1000, resolve=names))


async def test_loopback_is_refused_and_not_connected_to(hook: Receiver) -> None:
    async with outbound_client() as client:
        with pytest.raises(OutboundRefusedError, match="A2A_OUTBOUND_ALLOWED"):
            await client.post(hook.url(), content=b"x")
    assert (hook.calls, hook.connections) == ([], 0)


@pytest.mark.usefixtures("loopback_listed")
async def test_what_is_listed_is_called(hook: Receiver) -> None:
    async with outbound_client() as client:
        assert (await client.post(hook.url(), content=b"x")).status_code == 200
    (call,) = hook.calls
    assert (call.body, call.headers["host"]) == (b"x", f"127.0.0.1:{hook.port}")
    assert call.headers["accept-encoding"] == "identity"


async def test_a_listed_host_may_have_any_address(hook: Receiver, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = ["localhost"]
    async with outbound_client() as client:
        assert (await client.get(hook.url(host="localhost"))).status_code == 200


@pytest.mark.parametrize("host", ["127.1", "0x7f.0.0.1", "2130706433", "0177.1", "[::1]", "[::ffff:127.0.0.1]", "0"])
async def test_other_spellings_of_loopback_are_refused(hook: Receiver, host: str) -> None:
    async with outbound_client() as client:
        with pytest.raises(OutboundRefusedError):
            await client.get(hook.url(host=host))
    with pytest.raises(OutboundRefusedError):
        await check_url(hook.url(host=host))
    assert hook.connections == 0


async def test_a_name_that_turns_to_loopback_after_the_check_is_refused(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names("93.184.215.14", "127.0.0.1")
    url = hook.url(host="rebinding.test")
    await check_url(url, resolve=names)
    async with client_of(names) as client:
        with pytest.raises(OutboundRefusedError, match=r"rebinding\.test"):
            await client.get(url)
    assert (names.asked, hook.connections) == (2, 0)


@pytest.mark.usefixtures("loopback_listed")
async def test_the_socket_goes_to_the_address_that_was_checked(hook: Receiver) -> None:
    """The name is asked for once: there is no second answer that could be another one."""
    names = Names("127.0.0.1", "203.0.113.7")
    async with client_of(names) as client:
        assert (await client.get(hook.url(host="hook.test"))).status_code == 200
    assert names.asked == 1
    assert hook.calls[0].headers["host"] == f"hook.test:{hook.port}"


@pytest.mark.usefixtures("loopback_listed")
async def test_of_several_addresses_only_the_good_ones_count(hook: Receiver) -> None:
    async def names(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1", "::1", "127.0.0.1"]

    async with httpx.AsyncClient(transport=GuardedTransport(total=5, max_bytes=10, resolve=names)) as client:
        assert (await client.get(hook.url(host="several.test"))).status_code == 200


@pytest.mark.usefixtures("loopback_listed")
async def test_redirects_are_not_followed(hook: Receiver) -> None:
    async def elsewhere(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")

    hook.answers = [elsewhere]
    async with outbound_client() as client:
        assert (await client.get(hook.url())).status_code == 302
    assert len(hook.calls) == 1


async def test_a_redirect_that_is_followed_is_checked_like_any_call(hook: Receiver, settings: Any) -> None:
    async def inside(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"HTTP/1.1 302 Found\r\nlocation: {hook.url(host='127.0.0.2')}\r\ncontent-length: 0\r\n\r\n".encode()
        )

    settings.OUTBOUND_ALLOWED = ["127.0.0.1/32"]
    hook.answers = [inside]
    async with outbound_client() as client:
        with pytest.raises(OutboundRefusedError, match=r"127\.0\.0\.2"):
            await client.get(hook.url(), follow_redirects=True)
    assert (len(hook.calls), hook.connections) == (1, 1)


@pytest.mark.usefixtures("loopback_listed")
async def test_an_endless_answer_ends_at_the_limit(hook: Receiver) -> None:
    async def endless(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()

    hook.answers = [endless]
    async with outbound_client(max_bytes=100_000) as client:
        with pytest.raises(OutboundAnswerError, match="100000"):
            await client.get(hook.url())


@pytest.mark.usefixtures("loopback_listed")
async def test_a_slow_answer_ends_in_time(hook: Receiver) -> None:
    """Each byte comes well within the time for one read; all of them together do not."""

    async def dripping(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    hook.answers = [dripping]
    async with outbound_client(timeout=5, total=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(hook.url())


@pytest.mark.usefixtures("loopback_listed")
async def test_silence_ends_in_time(hook: Receiver) -> None:
    async def silent(call: Call, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    hook.answers = [silent, silent]
    async with outbound_client(timeout=5, total=0.1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(hook.url())
    async with outbound_client(timeout=0.1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(hook.url())


@pytest.mark.usefixtures("loopback_listed")
async def test_a_compressed_answer_is_refused(hook: Receiver) -> None:
    async def bomb(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc")

    hook.answers = [bomb]
    async with outbound_client() as client:
        with pytest.raises(OutboundAnswerError, match="compressed"):
            await client.get(hook.url())


@pytest.mark.usefixtures("loopback_listed")
async def test_the_environments_proxy_is_ignored(hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        async with outbound_client() as client:
            await client.get(hook.url())
        assert (len(hook.calls), proxy.connections) == (1, 0)


async def test_plain_http_can_be_confined_to_what_is_listed(hook: Receiver, settings: Any) -> None:
    settings.OUTBOUND_HTTPS_ONLY = True
    names = Names("93.184.215.14")
    with pytest.raises(OutboundRefusedError, match="https only"):
        await check_url("http://example.test/hook", resolve=names)
    await check_url("https://example.test/hook", resolve=names)
    settings.OUTBOUND_ALLOWED = LOOPBACK
    async with outbound_client() as client:
        assert (await client.get(hook.url())).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "/hook", "ftp://example.com/x", "file:///etc/passwd", "http:///x", "https://", "gopher://127.0.0.1/",
        "https://ada:secret@example.com/", "https://example.com:25/", "https://example.com:0/", "https://example.com:99999/",
        "https://8.8.8.8:99999/",
        "https://exa mple.com/", "https://example.com\\@127.0.0.1/", "https://example.com/\r\nx: y", "https://[::1",
        "https://example.com/" + "x" * 3000, "https://" + "a" * 70 + ".com/", "javascript:alert(1)", "http://./", "http://..",
    ],
)  # fmt: skip
async def test_what_is_no_address_to_call_is_refused(url: str) -> None:
    with pytest.raises(OutboundRefusedError) as refusal:
        await check_url(url, field="config.url")
    assert refusal.value.detail.startswith("config.url: ")
    assert list(refusal.value.errors or {}) == ["config.url"]
    assert "secret" not in refusal.value.detail


async def test_a_name_without_an_address_is_refused() -> None:
    async def names(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(OutboundRefusedError, match=r"nowhere\.test has no address"):
        await check_url("https://nowhere.test/", resolve=names)
