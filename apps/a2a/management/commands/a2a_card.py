"""`manage.py a2a_card`: print an agent card as JSON, as clients get it."""

import json
from argparse import ArgumentParser
from typing import Any

from a2a.utils.constants import PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.a2a.card import Json, only, public_card, role_card, workspace_card
from apps.a2a.signing import signed
from apps.accounts.models import Workspace
from apps.core.errors import NotFoundError


class Command(BaseCommand):
    help = "Print the agent card: the public one, or with --extended or --role what a workspace's callers get."

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Here `--version` is A2A's; Django's own is at `manage.py version`."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=settings.A2A_AGENT_URL, help="Where clients reach us (%(default)s).")
        parser.add_argument("--extended", action="store_true", help="With what is connected in the workspace.")
        parser.add_argument("--role", default="", help="The card of this role's agent.")
        parser.add_argument("--workspace", default=Workspace.DEFAULT_SLUG, help="Whose agents (%(default)s).")
        parser.add_argument("--signed", action="store_true", help="With its signatures.")
        parser.add_argument(
            "--version",
            choices=[PROTOCOL_VERSION_1_0, PROTOCOL_VERSION_0_3],
            help="Only the fields of this version of A2A (default: those of both, as clients get them).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        base_url = options["url"].rstrip("/")
        card = self._card(base_url, options)
        if options["signed"]:
            card = signed(card, base_url)
        if options["version"]:
            card = only(card, options["version"])
        self.stdout.write(json.dumps(card, indent=2, ensure_ascii=False))

    def _card(self, base_url: str, options: dict[str, Any]) -> Json:
        if not (options["extended"] or options["role"]):
            return public_card(base_url)
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        if not options["role"]:
            return workspace_card(workspace.id, base_url)
        try:
            return role_card(workspace.id, base_url, options["role"])
        except NotFoundError as error:
            raise CommandError(error.detail) from error
