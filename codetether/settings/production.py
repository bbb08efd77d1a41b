"""Settings of a deployment: the product's own, with TLS expected in front and weak choices refused at start."""

from urllib.parse import urlsplit

from codetether.env import SettingError
from codetether.settings.base import *  # noqa: F403
from codetether.settings.base import A2A_AUTH_ENABLED, DEBUG, ENV

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SECRET_CHARACTERS = 50
TOKEN_CHARACTERS = 20

if not ENV.secret_key:
    raise SettingError("CODETETHER_SECRET_KEY is not set: give a random text of at least 50 characters.")
if len(ENV.secret_key) < SECRET_CHARACTERS or len(set(ENV.secret_key)) < 10 or "insecure" in ENV.secret_key:
    raise SettingError("CODETETHER_SECRET_KEY is weak: give a random text of at least 50 characters.")
if DEBUG:
    raise SettingError("CODETETHER_DEBUG is on: production does not start with it.")
if not A2A_AUTH_ENABLED and not {ENV.host, ENV.grpc_host} <= LOOPBACK:
    raise SettingError("A2A_AUTH_ENABLED=false is for loopback only: set A2A_HOST=127.0.0.1 or turn it on.")
if "*" in ENV.allowed_hosts:
    raise SettingError("CODETETHER_ALLOWED_HOSTS is not set: name the hosts, separated by commas.")
for name, token in ENV.auth_tokens.items():
    if len(token) < TOKEN_CHARACTERS:
        raise SettingError(f"A2A_AUTH_TOKENS: the token of {name} is weak: give 20 random characters or more.")
if urlsplit(ENV.public_url).scheme == "http" and urlsplit(ENV.public_url).hostname not in LOOPBACK:
    raise SettingError("A2A_AGENT_URL is plain http, which would tell tokens to the network: give its https address.")
if any(urlsplit(origin).scheme == "http" for origin in ENV.cors_origins):
    raise SettingError("A2A_CORS_ORIGINS lists a page that comes by plain http, so may be anybody's: give https ones.")

IS_PRODUCTION = True  # commands that make data up refuse to
SECURE_SSL_REDIRECT = True  # of pages; programs, and health checks by plain HTTP, do not come through there
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"  # which a browser takes from this very host only, by https (RFC 6265bis)
CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_COOKIE_HTTPONLY = True  # forms carry the token; no script of ours reads the cookie
