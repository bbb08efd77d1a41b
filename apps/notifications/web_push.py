"""Web Push: a message that only the device can read (RFC 8291), sent to its push service (RFC 8030) by a server that
the service can tell from others (VAPID, RFC 8292)."""

import base64
import time
from urllib.parse import urlsplit

import http_ece
import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from apps.core import jsontext
from apps.core.errors import UnavailableError
from apps.core.key_pairs import private_key
from apps.core.outbound import outbound_client
from apps.core.posting import Refusal, post
from apps.core.sealing import opened
from apps.notifications.models import PushSubscription
from apps.notifications.news import News

TTL_SECONDS = 86_400
"""How long a push service keeps it for a device that is off (RFC 8030 §5.2)."""
VALID_SECONDS = 12 * 3600
"""Of the proof who we are; a day is the most (RFC 8292 §2)."""
MOST_BYTES = 3_072
"""Of a message before it is encrypted; every push service takes 4,096 after it (RFC 8030 §7.2)."""
TIMEOUT_SECONDS = 10.0


def client() -> httpx.AsyncClient:
    """For one run of deliveries, as an async context manager."""
    return outbound_client(timeout=TIMEOUT_SECONDS, total=TIMEOUT_SECONDS, max_bytes=None)


async def push(sender: httpx.AsyncClient, device: PushSubscription, news: News) -> Refusal | None:
    """None: the push service has taken it. What it is called with tells it nothing but how urgent it is."""
    try:
        body = encrypted(device, news)
    except UnavailableError as error:
        return Refusal(error.detail)
    return await post(sender, device.endpoint, body=body, headers=_headers(device, news))


def encrypted(device: PushSubscription, news: News) -> bytes:
    """The message for the device's eyes only."""
    message = jsontext.dumps(_message(news))
    assert len(message) <= MOST_BYTES, "titles and texts are clipped"
    return bytes(
        http_ece.encrypt(
            message,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_decoded(device.p256dh),
            auth_secret=_decoded(opened(device, "auth")),
            version="aes128gcm",
        )
    )


def public_key() -> str:
    """By which browsers bind their subscription to this installation (`applicationServerKey`), in base64url."""
    return _encoded(_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def contact() -> str:
    """Where whoever runs a push service finds whoever runs this one (RFC 8292 §2.1)."""
    given: str = settings.VAPID_CONTACT
    is_public = settings.A2A_AGENT_URL.startswith("https://")
    return given or (settings.A2A_AGENT_URL if is_public else settings.A2A_AGENT_ORG_URL)


def _message(news: News) -> dict[str, object]:
    """What `service_worker.js` reads."""
    return {"title": news.title, "body": news.body, "tag": news.tag, "url": news.url, "waiting": news.waiting}


def _headers(device: PushSubscription, news: News) -> dict[str, str]:
    """`Topic`: while the device is off, the latest of a task replaces those before it (RFC 8030 §5.4)."""
    return {
        "authorization": f"vapid t={_proof(device.endpoint)}, k={public_key()}",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(TTL_SECONDS),
        "urgency": "high" if news.is_urgent else "normal",
        "topic": news.tag.replace("-", ""),
    }


def _proof(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + VALID_SECONDS,
        "sub": contact(),
    }
    return jwt.encode(claims, _key(), "ES256")


def _key() -> ec.EllipticCurvePrivateKey:
    return private_key(settings.VAPID_KEY, settings.SECRET_KEY, "codetether: web push")


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
