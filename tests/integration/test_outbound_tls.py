"""TLS of outbound calls: the socket goes to an address, the certificate must be the name's."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.core.outbound import GuardedTransport
from tests.fakes.webhook import Receiver

pytestmark = pytest.mark.asyncio
NAME = "hook.test"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of NAME, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path_factory.mktemp("tls") / "hook.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest_asyncio.fixture
async def hook(certificate: Path, settings: Any) -> AsyncIterator[Receiver]:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()
    server.close_clients()
    await server.wait_closed()


async def loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def client(certificate: Path) -> httpx.AsyncClient:
    tls = ssl.create_default_context(cafile=str(certificate))
    return httpx.AsyncClient(transport=GuardedTransport(total=5, max_bytes=100, resolve=loopback, tls=tls))


async def test_the_name_is_what_the_certificate_must_have(hook: Receiver, certificate: Path) -> None:
    async with client(certificate) as calling:
        assert (await calling.get(f"https://{NAME}:{hook.port}/")).status_code == 200
    assert hook.calls[0].headers["host"] == f"{NAME}:{hook.port}"


async def test_another_names_certificate_is_refused(hook: Receiver, certificate: Path) -> None:
    async with client(certificate) as calling:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await calling.get(f"https://other.test:{hook.port}/")
    assert hook.calls == []
