"""Settings of the test suite: the product's own, with known secrets and quick password hashing."""

import os

from codetether.settings.base import *  # noqa: F403
from codetether.settings.base import REDIS_URL

_PARALLEL = os.environ.get("PYTEST_XDIST_WORKER", "main")  # noqa: TID251

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"test-{_PARALLEL}"},
    },
}
CELERY_BROKER_URL = "memory://"  # nobody runs the jobs that tests only start
SECRET_KEY = "only-for-tests-" + "x" * 40
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
A2A_SIGNING_KEY = VAPID_KEY = ""  # made of SECRET_KEY, so the same for all
A2A_AUTH_ENABLED = True
A2A_AUTH_TOKENS = {"ci": "token-of-ci-for-tests"}
OIDC = None
A2A_AGENT_URL = "http://testserver"
A2A_BLOCKING_TIMEOUT = 5
SSE_KEEPALIVE_SECONDS = 1
LEASE_SECONDS = 60
RATE_LIMITS = {}  # tests of limits set their own; all others come from one address
A2A_SECRET_ENVIRONMENT = {"HOME": "/nonexistent"}  # no sessions of whoever runs the tests
A2A_OPENCODE_STORAGE_PATH = None
