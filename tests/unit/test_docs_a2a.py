"""What the pages on A2A say of the extension and of errors is what the code has."""

import inspect
import re

from a2a.utils.errors import JSON_RPC_ERROR_CODE_MAP

from apps.a2a import handler, projection
from apps.a2a.asked import OURS
from apps.a2a.errors import refusal_of
from apps.a2a.wishes import NAMES
from apps.federation.hops import HOPS, VIA
from tests.unit.documents import DOCS, marked, rows

PAGE = "reference/a2a-extension.md"


def test_extension_is_named_by_its_uri() -> None:
    text = (DOCS / PAGE).read_text()
    assert all(f"- URI: `{uri}`" in text for uri in OURS)
    assert projection.DIRECT in text


def test_what_a_client_may_say_is_what_is_read() -> None:
    asked = {marked(row["Name"])[0] for row in rows(PAGE, "Name", "Type", "What it asks")}
    assert asked == set(NAMES)


def test_what_is_said_is_documented_and_nothing_else() -> None:
    said = {marked(row["Name"])[0] for row in rows(PAGE, "Name", "Type", "What it says")}
    of_task = set(re.findall(r'^ +"(\w+)":', inspect.getsource(projection.extension_data), re.MULTILINE))
    assert said == of_task | {"whyPending", "whyPendingCode", HOPS, VIA, "event", handler.EVENT_ID}


def test_table_of_errors_is_the_codes() -> None:
    table = {
        marked(row["Error"])[0]: (row["JSON-RPC"], row["HTTP"], row["HTTP in 0.3"], *marked(row["gRPC"]))
        for row in rows("reference/a2a.md", "Error", "JSON-RPC")
    }
    refusals = [refusal_of(kind()) for kind in JSON_RPC_ERROR_CODE_MAP]
    assert table == {one.name: (str(one.code), str(one.http), str(one.http_old), one.grpc) for one in refusals}
