"""`codetether grpc` as a process of its own: it starts, is told apart from a busy port, and ends in good order."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from a2a.types import a2a_pb2 as new
from a2a.types.a2a_pb2_grpc import A2AServiceStub
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import connection

from apps.tasks.models import Task
from apps.tasks.services import Outcome, task_finish
from apps.tasks.states import State
from codetether import env
from tests.api.a2a.grpc.caller import Refused, saying
from tests.factories import Cast

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TOKEN = [("authorization", f"Bearer {settings.A2A_AUTH_TOKENS['ci']}")]
START_SECONDS = 60
STOP_SECONDS = 5.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class GrpcProcess:
    def __init__(self, port: int, **more: str) -> None:
        parameters: dict[str, Any] = connection.settings_dict
        variables = {
            "DATABASE_URL": "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**parameters),
            "A2A_REDIS_URL": settings.REDIS_URL,
            "DJANGO_SETTINGS_MODULE": "codetether.settings.test",
        } | more
        self.address = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "codetether.cli", "grpc", "--port", str(port)],
            env=env.inherited(**variables),
            stderr=subprocess.PIPE,
        )

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        """What it said on standard error until it ended."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=START_SECONDS)[1].decode()


@pytest.fixture
def server(cast: Cast) -> Iterator[GrpcProcess]:
    running = GrpcProcess(free_port())
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate()


@pytest.fixture
def stub(server: GrpcProcess) -> Iterator[A2AServiceStub]:
    with grpc.insecure_channel(server.address) as channel:
        grpc.channel_ready_future(channel).result(START_SECONDS)
        yield A2AServiceStub(channel)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_cuts_streams_and_lets_waiting_calls_answer(
    server: GrpcProcess, stub: A2AServiceStub, number: signal.Signals
) -> None:
    stream = stub.SendStreamingMessage(saying("a long one"), metadata=TOKEN, timeout=START_SECONDS)
    task = next(stream).task
    with ThreadPoolExecutor(1) as waiter:
        waiting = waiter.submit(stub.SendMessage, saying("another"), metadata=TOKEN, timeout=START_SECONDS)
        _until_there_are(stub, 2)
        began = time.monotonic()
        said = server.end(number)
        answered = waiting.result().task
    with pytest.raises(grpc.RpcError) as cut:
        list(stream)
    assert cut.value.code() == grpc.StatusCode.UNAVAILABLE
    assert Refused(cut.value).trailing["last-event-id"]
    assert answered.status.state == new.TASK_STATE_SUBMITTED
    assert answered.id != task.id
    assert time.monotonic() - began < STOP_SECONDS
    assert (server.process.returncode, "Traceback" in said) == (0, False), said


def test_what_happens_elsewhere_is_streamed(stub: A2AServiceStub, cast: Cast) -> None:
    stream = stub.SendStreamingMessage(saying("hi"), metadata=TOKEN, timeout=START_SECONDS)
    sent = next(stream).task
    claim = cast.held(Task.objects.get(id=sent.id))
    task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, result="100"))
    told = [event.WhichOneof("payload") for event in stream]
    assert told == ["status_update", "artifact_update", "status_update"]
    got = stub.GetTask(new.GetTaskRequest(id=sent.id), metadata=TOKEN)
    assert got.artifacts[0].parts[0].text == "100"


def _until_there_are(stub: A2AServiceStub, count: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while stub.ListTasks(new.ListTasksRequest(), metadata=TOKEN).total_size < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def certificate(folder: Path) -> tuple[Path, Path]:
    """(key, certificate) of a server named localhost."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number(), now, now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, hashes.SHA256())
    )
    key, cert = folder / "key.pem", folder / "cert.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    key.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    cert.write_bytes(signed.public_bytes(pem))
    return key, cert


def test_tls(cast: Cast, tmp_path: Path) -> None:
    key, cert = certificate(tmp_path)
    port = free_port()
    server = GrpcProcess(port, A2A_GRPC_TLS_CERT=str(cert), A2A_GRPC_TLS_KEY=str(key))
    try:
        with grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(cert.read_bytes())) as channel:
            grpc.channel_ready_future(channel).result(START_SECONDS)
            card = A2AServiceStub(channel).GetExtendedAgentCard(new.GetExtendedAgentCardRequest(), metadata=TOKEN)
        assert card.name == "CodeTether"
    finally:
        server.end()


def test_a_certificate_that_is_not_there_is_one_line(cast: Cast, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    server = GrpcProcess(free_port(), A2A_GRPC_TLS_CERT=missing, A2A_GRPC_TLS_KEY=missing)
    said = server.process.communicate(timeout=START_SECONDS)[1].decode()
    assert (server.process.returncode, said.count("\n")) == (1, 1), said
    assert missing in said
