"""An identity provider on loopback that says and signs what a test tells it to; it counts how often it is asked."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apps.accounts.oidc.config import OidcSettings, oidc_settings
from apps.core.addresses import allow_list
from codetether import env

CLIENT, SECRET = "codetether", "the client's secret"
Json = dict[str, Any]
Reply = tuple[int, Json]


class Key:
    """A signing key of the provider."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def jwk(self) -> Json:
        said: Json = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**said, "kid": self.kid, "use": "sig", "alg": "RS256"}

    @property
    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class IdentityProvider:
    """Serves its description, its keys, its token endpoint and its userinfo while the block lasts."""

    def __init__(self) -> None:
        self.keys = [Key("first")]
        self.asked: Counter[str] = Counter()
        self.is_down = False
        self.userinfo: Json = {}
        self.grant: Callable[[dict[str, str]], Reply] = lambda form: (400, {"error": "invalid_grant"})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/realms/shop"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def settings(self, **changes: Any) -> OidcSettings:
        """What the product's settings say of it."""
        found = oidc_settings(env.sign_on({"OIDC_ISSUER": self.issuer, "OIDC_CLIENT_ID": CLIENT}), LOOPBACK)
        assert found is not None
        return replace(found, client_secret=SECRET, **changes)

    def token(self, *, key: Key | None = None, header: Json | None = None, **claims: Any) -> str:
        """A signed access token for ada, with `claims` beside or instead of (None: without) the usual ones."""
        return self.signed({"typ": "Bearer", **claims}, key=key, header=header)

    def id_token(self, **claims: Any) -> str:
        return self.signed({"nonce": "n", **claims})

    def logout_token(self, **claims: Any) -> str:
        event = {"http://schemas.openid.net/event/backchannel-logout": {}}
        return self.signed({"events": event, "jti": uuid.uuid4().hex, "sid": "s1", **claims})

    def signed(self, claims: Json, *, key: Key | None = None, header: Json | None = None) -> str:
        key = key or self.keys[0]
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": "ada-1", "iat": now, "exp": now + 300}
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(said, key.private, algorithm="RS256", headers={"kid": key.kid, **(header or {})})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(*provider._look_up(self.path.rpartition("/")[2]))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                provider.asked["token"] += 1
                self._say(*provider.grant({**form, "authorization": self.headers.get("authorization", "")}))

            def _say(self, status: int, said: Json) -> None:
                body = json.dumps(said).encode()
                self.send_response(503 if provider.is_down else status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def _look_up(self, name: str) -> Reply:
        self.asked[name] += 1
        match name:
            case "openid-configuration":
                paths = {"authorization": "auth", "token": "token", "userinfo": "userinfo", "end_session": "logout"}
                endpoints = {f"{kind}_endpoint": f"{self.issuer}/{path}" for kind, path in paths.items()}
                return 200, {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **endpoints}
            case "keys":
                return 200, {"keys": [key.jwk for key in self.keys]}
            case "userinfo":
                return 200, self.userinfo
            case _:
                return 404, {}


LOOPBACK = allow_list(("127.0.0.1", "localhost"))
