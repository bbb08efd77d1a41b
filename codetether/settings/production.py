"""Settings of a deployment: the product's own, with TLS expected in front and weak choices refused at start."""

from codetether.env import SettingError
from codetether.settings.base import *  # noqa: F403
from codetether.settings.base import A2A_AUTH_ENABLED, DEBUG, ENV

if not ENV.secret_key:
    raise SettingError("CODETETHER_SECRET_KEY is not set: give a random text of at least 50 characters.")
if DEBUG:
    raise SettingError("CODETETHER_DEBUG is on: production does not start with it.")
if not A2A_AUTH_ENABLED and not {ENV.host, ENV.grpc_host} <= {"127.0.0.1", "::1", "localhost"}:
    raise SettingError("A2A_AUTH_ENABLED=false is for loopback only: set A2A_HOST=127.0.0.1 or turn it on.")
if ENV.allowed_hosts == ["*"]:
    raise SettingError("CODETETHER_ALLOWED_HOSTS is not set: name the hosts, separated by commas.")

IS_PRODUCTION = True  # commands that make data up refuse to
SECURE_SSL_REDIRECT = False  # the proxy in front redirects; health checks come by plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
