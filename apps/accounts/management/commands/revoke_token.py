"""`manage.py revoke_token`: end an API token."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.management import words
from apps.accounts.tokens import token_revoke


class Command(BaseCommand):
    help = "Revoke an API token: whoever uses it is refused from now on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token", help="Its id, or how its secret begins.")

    def handle(self, *args: Any, **options: Any) -> None:
        token = words.token(options["token"])
        token_revoke(token=token)
        self.stdout.write(f"{token.name} ({token.id}) is revoked.")
