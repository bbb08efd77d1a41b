"""Settings for tools that read the code and never connect: the type checker, schema and static file builds."""

import os

os.environ.setdefault("DATABASE_URL", "postgresql://nobody@localhost:1/nothing")  # noqa: TID251
os.environ.setdefault("A2A_REDIS_URL", "redis://localhost:1")  # noqa: TID251
os.environ.setdefault("CODETETHER_SECRET_KEY", "offline-" + "x" * 50)  # noqa: TID251

from codetether.settings.base import *  # noqa: F403
