"""The cards and the keys over HTTP: where they stand, who may read them, and how long they may be kept (1.0 §8.6)."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from apps.a2a.addresses import is_certain
from apps.a2a.card import public_card, role_card, signed_where_certain
from apps.a2a.signing import key_id, key_set, signed
from apps.accounts.oidc.provider import provider
from apps.accounts.principals import Principal
from apps.core import jsontext
from apps.core.db import in_database
from apps.core.errors import ConflictError, InvalidError
from apps.core.own_address import base_url_of

Json = dict[str, Any]

FOR_ALL = "public, max-age=300"
FOR_ONE = "private, no-cache"
"""May be kept by the caller alone, who asks each time whether it still holds."""
STARTED = datetime.now(UTC).replace(microsecond=0)
"""What is public changes only with the settings, so with the process."""
JSON, JWK_SET = "application/json", "application/jwk-set+json"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "A2A-Version, A2A-Extensions, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


async def card_page(request: Request) -> Response:
    """The public card; with `?signed=true` it is signed, or refused where only the client says that we are here."""
    base_url, with_signature = base_url_of(request), _asks_signature(request)
    if with_signature and not is_certain(base_url):
        raise ConflictError(
            "A card is signed only for an address that the settings know: set A2A_AGENT_URL.", code="address_unknown"
        )
    grpc = settings.A2A_GRPC_PORT, settings.A2A_GRPC_URL
    page = _public(base_url, with_signature, settings.A2A_AUTH_ENABLED, provider(), grpc)
    return _answer(request, page, {**CORS, "Cache-Control": FOR_ALL, "Last-Modified": _moment(STARTED)})


async def keys_page(request: Request) -> Response:
    """The public keys of our signatures, as a JWK Set."""
    page = _Page(jsontext.dumps(key_set()), f'"{key_id()}"', JWK_SET)
    return _answer(request, page, {**CORS, "Cache-Control": FOR_ALL, "Last-Modified": _moment(STARTED)})


async def options_page(request: Request) -> Response:
    """What a browser asks before it lets a page of another site read a public card with headers of its own."""
    return Response(status_code=204, headers={**CORS, **PREFLIGHT, "Allow": PREFLIGHT["Access-Control-Allow-Methods"]})


async def role_page(request: Request, principal: Principal) -> Response:
    """The card of a role's agent, for the workspace that has it; always signed where we may."""
    base_url = base_url_of(request)
    card = await in_database(role_card, principal.workspace_id, base_url, request.path_params["role"])
    page = _Page(jsontext.dumps(signed_where_certain(card, base_url)), _weak(card))
    return _answer(request, page, {"Cache-Control": FOR_ONE, "Vary": "Authorization, Cookie"})


class _Page:
    """A body, and the tag that tells it from others."""

    def __init__(self, body: bytes, etag: str, media_type: str = JSON) -> None:
        self.body = body
        self.etag = etag
        self.media_type = media_type


@lru_cache(maxsize=32)
def _public(base_url: str, with_signature: bool, *settings_that_count: object) -> _Page:
    card = public_card(base_url)
    if with_signature:
        return _Page(jsontext.dumps(signed(card, base_url)), _weak(card))
    body = jsontext.dumps(card)
    return _Page(body, f'"{_digest(body)}"')


def _weak(card: Json) -> str:
    """The tag of a signed card: each replica makes another signature, which means the same."""
    return f'W/"{_digest(jsontext.dumps(card) + key_id().encode())}"'


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def _asks_signature(request: Request) -> bool:
    asked = request.query_params.get("signed", "false").lower()
    if asked not in ("true", "1", "false", "0", ""):
        raise InvalidError("signed: give true or false.", errors={"signed": ["Give true or false."]})
    return asked in ("true", "1")


def _answer(request: Request, page: _Page, headers: Mapping[str, str]) -> Response:
    """200 with the body, or without it for HEAD; 304 for a client that has it already."""
    told = {**headers, "ETag": page.etag}
    if _has_it(request, page.etag, told.get("Last-Modified", "")):
        return Response(status_code=304, headers=told)
    if request.method == "HEAD":
        return Response(headers=told | {"Content-Length": str(len(page.body))}, media_type=page.media_type)
    return Response(page.body, headers=told, media_type=page.media_type)


def _has_it(request: Request, etag: str, changed: str) -> bool:
    """`If-None-Match`, compared weakly; `If-Modified-Since` counts only without it (RFC 9110 §13.1.2, §13.1.3)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return "*" in known or etag.removeprefix("W/") in known
    since = _read_moment(request.headers.get("if-modified-since", ""))
    return bool(changed) and since is not None and parsedate_to_datetime(changed) <= since


def _read_moment(text: str) -> datetime | None:
    """None for what is no date: such a header is passed over (RFC 9110 §13.1.3)."""
    try:
        read = parsedate_to_datetime(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _moment(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
