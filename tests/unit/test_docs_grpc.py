"""What the page on A2A says of gRPC is what the server has."""

from grpc_reflection.v1alpha import reflection

from apps.a2a.asked import EXTENSIONS, VERSION
from apps.a2a.grpc import calls, health
from apps.a2a.grpc.services import SERVICES
from tests.unit.documents import marked, rows

PAGE = "reference/a2a.md"


def test_every_service_is_documented_with_its_version() -> None:
    of_a2a = {service.full_name: f"A2A {version}" for version, service in SERVICES.items()}
    existing = of_a2a | {health.NAME: "gRPC", reflection.SERVICE_NAME: "gRPC"}
    assert {marked(row["Service"])[0]: row["Of"] for row in rows(PAGE, "Service", "Of")} == existing


def test_the_metadata_that_are_read_are_documented() -> None:
    documented = [name for row in rows(PAGE, "Metadata", "Sent by") for name in marked(row["Metadata"])]
    assert {VERSION.lower(), EXTENSIONS[0].lower(), calls.LAST_EVENT_ID, "authorization"} <= set(documented)
