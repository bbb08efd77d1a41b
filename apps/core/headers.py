"""A request's headers, read once: Starlette's own look through all of them for each name."""

from collections.abc import Mapping

from starlette.requests import HTTPConnection

_READ = "codetether.headers"


def headers_of(connection: HTTPConnection) -> Mapping[str, str]:
    """The headers by their names in lower case; those that come several times are joined by commas (RFC 9110 §5.3)."""
    read: dict[str, str] | None = connection.scope.get(_READ)
    if read is None:
        read = connection.scope[_READ] = {}
        for name, value in connection.scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            read[key] = f"{read[key]}, {text}" if key in read else text
    return read


def query_of(connection: HTTPConnection, name: str) -> str:
    """A field of the query; empty where it is not there."""
    return connection.query_params.get(name, "") if connection.scope["query_string"] else ""
