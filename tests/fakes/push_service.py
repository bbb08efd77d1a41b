"""A device and its push service: the service takes what it is sent, and the device reads it with its own key.

The receiver is a real HTTP server on loopback; what came is decrypted and the sender's proof is checked here, by the
standards' own libraries and not by the product's code.
"""

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import http_ece
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.webhook import Call

AUTH = b"sixteen bytes ok"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(slots=True)
class Device:
    """A browser that has subscribed at `endpoint`."""

    endpoint: str
    auth: bytes = AUTH
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def said(self) -> dict[str, Any]:
        """What its page sends (`PushSubscription.toJSON()`)."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": encoded(point), "auth": encoded(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def read(self, call: Call) -> dict[str, Any]:
        """The message that was sent to it."""
        assert call.headers["content-encoding"] == "aes128gcm"
        assert len(call.body) <= 4_096
        plain = http_ece.decrypt(call.body, private_key=self._key, auth_secret=self.auth, version="aes128gcm")
        message: dict[str, Any] = orjson.loads(plain)
        return message

    def proof(self, call: Call) -> dict[str, Any]:
        """The claims by which the sender has shown who it is; `key` is the key that they are signed with."""
        scheme, _, parameters = call.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in parameters.split(","))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(parts["k"]))
        url = urlsplit(self.endpoint)
        audience = f"{url.scheme}://{url.netloc}"
        claims: dict[str, Any] = jwt.decode(parts["t"], key, ["ES256"], audience=audience)
        return {**claims, "key": parts["k"]}
