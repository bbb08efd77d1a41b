"""A browser's subscription as its page sends it: read, and refused where nothing could be sent to it."""

import base64
import binascii
import ipaddress
import re
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from apps.core.addresses import allow_list
from apps.core.errors import InvalidError
from apps.core.outbound import OutboundRefusedError, check_url
from apps.notifications.services import NewDevice

AUTH_BYTES, POINT_BYTES = 16, 65
"""Of the secret and the public key (RFC 8291 §2.1 and §3.2)."""
KEY_CHARACTERS = 200
_BROWSERS = (
    ("Edg(?:e|A|iOS)?/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("(?:Firefox|FxiOS)/", "Firefox"), ("(?:Chrome|CriOS|Chromium)/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
"""The first that is found counts: most name those that they want to be taken for, too."""
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X|Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


async def read_device(said: dict[str, Any], user_agent: str) -> NewDevice:
    """What `PushSubscription.toJSON()` says (W3C Push API §8); InvalidError or OutboundRefusedError for all else."""
    keys = said.get("keys")
    if not isinstance(keys, dict):
        raise InvalidError("Give the subscription's keys.", errors={"keys": ["Give p256dh and auth."]})
    return NewDevice(
        endpoint=await _endpoint(said.get("endpoint")),
        p256dh=_text(_public_key(keys.get("p256dh"))),
        auth=_text(_bytes(keys.get("auth"), "auth", AUTH_BYTES)),
        name=device_name(user_agent),
    )


def device_name(user_agent: str) -> str:
    """Such as `Chrome on Android`."""
    browser = _first(_BROWSERS, user_agent) or "A browser"
    system = _first(_SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _first(table: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for pattern, name in table if re.search(pattern, text)), "")


async def _endpoint(given: object) -> str:
    if not isinstance(given, str) or not given.isascii():
        raise InvalidError("Give the subscription's endpoint.", errors={"endpoint": ["Give an address."]})
    await check_url(given, field="endpoint")
    url = httpx.URL(given)
    if url.scheme != "https" and not _is_listed(url.host):
        raise OutboundRefusedError("endpoint: push services are called by https.", errors={"endpoint": ["Give https."]})
    return given


def _is_listed(host: str) -> bool:
    """Whether the operator lets it be called although it is not on the internet: a push service of their own."""
    listed = allow_list(tuple(settings.OUTBOUND_ALLOWED))
    try:
        return listed.lists_address(ipaddress.ip_address(host))
    except ValueError:
        return listed.lists_host(host)


def _public_key(given: object) -> bytes:
    raw = _bytes(given, "p256dh", POINT_BYTES)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError as error:
        raise _wrong("p256dh") from error
    return raw


def _bytes(given: object, name: str, number: int) -> bytes:
    if not isinstance(given, str) or len(given) > KEY_CHARACTERS:
        raise _wrong(name)
    text = given.rstrip("=")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(name) from error
    if len(raw) != number:
        raise _wrong(name)
    return raw


def _wrong(name: str) -> InvalidError:
    return InvalidError("The subscription's keys are wrong.", errors={f"keys.{name}": ["Give it as the browser does."]})


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
