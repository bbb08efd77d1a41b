"""PostgreSQL and Valkey of our own, real ones from wheels, for machines that have none.

services = start(Path(".codetether"))
services.database_url, services.redis_url
services.stop()
"""

from codetether.embedded.errors import EmbeddedError
from codetether.embedded.launcher import Services, find, start

__all__ = ["EmbeddedError", "Services", "find", "start"]
