"""`manage.py mcp_stdio`."""

import asyncio
import json
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from apps.core.errors import CodeTetherError
from apps.mcp.stdio import serve


class Command(BaseCommand):
    help = "Speak MCP on standard input and output, as the token of MCP_TOKEN or of the local credentials file."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(serve(_token()))
        except CodeTetherError as error:
            raise CommandError(f"mcp_stdio: {error.detail} (MCP_TOKEN)") from error


def _token() -> str:
    """Whoever may read the credentials file, which is private, is the person who runs all this: an admin."""
    if settings.MCP_TOKEN:
        return str(settings.MCP_TOKEN)
    try:
        return str(json.loads((settings.DATA_DIR / "credentials.json").read_text())["token"])
    except (OSError, ValueError, KeyError) as error:
        raise CommandError("mcp_stdio: set MCP_TOKEN to a token; there is no credentials file with one.") from error
