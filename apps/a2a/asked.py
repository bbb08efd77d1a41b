"""What a request says beside its operation: the protocol's version, the extensions, the tenant, and the body's kind.

Both HTTP bindings read these alike; gRPC has the same names in its metadata.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from a2a.utils.errors import ContentTypeNotSupportedError, VersionNotSupportedError
from starlette.requests import Request

from apps.a2a.incoming import text_of, wrong
from apps.core.extension import EXTENSION
from apps.core.headers import headers_of, query_of

VERSION = "A2A-Version"
EXTENSIONS = ("A2A-Extensions", "X-A2A-Extensions")
"""The header that asks for extensions, in 1.0 and in 0.3."""
OURS = frozenset({EXTENSION})
"""The extensions that this server knows. None is required, so ExtensionSupportRequiredError has no cause here."""
MEDIA_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})
SHOWN = 20


def check_version(wanted: str, spoken: str) -> None:
    """`wanted` is what the client said (empty: nothing, which is fine); `spoken` the version of what it called.

    A patch number does not count (1.0 §3.6). VersionNotSupportedError for any other than the spoken one.
    """
    named = wanted.strip()  # blanks around a header's value are no part of it (RFC 9110 §5.5)
    if named and named.split(".")[:2] != spoken.split("."):
        raise VersionNotSupportedError(f"This is A2A {spoken}, not {named[:SHOWN]!r}; 0.3 and 1.0 are spoken here.")


def version_of(request: Request) -> str:
    """`A2A-Version`, as header or in the query (1.0 §3.6.1); empty where the client does not say."""
    return headers_of(request).get(VERSION.lower()) or query_of(request, VERSION)


def activated(request: Request) -> dict[str, str]:
    """The response headers that name which of the asked-for extensions are in force (1.0 §4.6.3; 0.3 §4.4.1).

    Extensions that we do not know are passed over, as the specification wants.
    """
    given = headers_of(request)
    found = {header: in_force([given[header.lower()]]) for header in EXTENSIONS if header.lower() in given}
    return {header: known for header, known in found.items() if known}


def in_force(lines: Iterable[str]) -> str:
    """Which of the extensions that the header's lines ask for we know, separated by commas."""
    return ", ".join(sorted({uri.strip() for line in lines for uri in line.split(",")} & OURS))


def check_media_type(request: Request) -> None:
    """Bodies are JSON and say so; one that says nothing is taken for it, and so is what curl says by itself."""
    media_type = media_type_of(request) or "application/json"
    if media_type not in MEDIA_TYPES and not media_type.endswith("+json"):
        raise ContentTypeNotSupportedError(f"Send application/json, not {media_type[:100]}.")


def media_type_of(request: Request) -> str:
    """The body's media type without parameters, in lower case; empty where it is not said."""
    return headers_of(request).get("content-type", "").partition(";")[0].strip().lower()


def tenant_of(params: Mapping[str, Any], path_tenant: str = "") -> str:
    """The tenant (1.0 §3.1) that is asked for, which is a workspace's slug or id; empty where none is.

    One in the path and another in the body contradict each other.
    """
    given = text_of(params, "tenant")
    if path_tenant and given not in ("", path_tenant):
        raise wrong("tenant", "The body names another tenant than the path.")
    return path_tenant or given
