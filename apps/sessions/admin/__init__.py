"""The console's pages of sessions: finding them, and reading one. The heart adds what tasks have to do with them."""

from apps.sessions.admin.sessions import SessionAdmin

__all__ = ["SessionAdmin"]
