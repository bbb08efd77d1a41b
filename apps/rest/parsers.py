"""Bodies of requests: JSON objects, strictly, whatever content type they claim.

Documented calls (`curl -d '{…}'`) send a form's content type with JSON, so the type is not asked; only multipart, which
cannot be JSON, is refused.
"""

from typing import IO, Any

from rest_framework.parsers import BaseParser

from apps.core import jsontext
from apps.core.errors import UnsupportedMediaError


def object_in(body: bytes, content_type: str) -> dict[str, Any]:
    """The body as an object (empty: an empty one). MalformedError or UnsupportedMediaError where it is none."""
    refuse_multipart(content_type)
    return jsontext.loads_object(body)


def refuse_multipart(content_type: str) -> None:
    """UnsupportedMediaError for what cannot hold JSON."""
    if content_type[:10].lower() == "multipart/":
        raise UnsupportedMediaError("Send JSON: multipart bodies are not understood here.")


class StrictJSONParser(BaseParser):
    """The same for views of other libraries, which read `request.data`."""

    media_type = "*/*"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        refuse_multipart(media_type or "")
        return jsontext.loads_object(stream.read())
