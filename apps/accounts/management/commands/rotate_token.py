"""`manage.py rotate_token`: give an API token a new secret, and print it, once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.management import words
from apps.accounts.tokens import Rotation, token_rotate
from apps.core.errors import CodeTetherError


class Command(BaseCommand):
    help = "Give an API token a new secret, printed alone on standard output; name, role and scopes stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token", help="Its id, or how its secret begins.")
        parser.add_argument("--overlap", default="0s", help="How long the old secret works on: 24h, 7d.")
        parser.add_argument("--expires", default="", help="A new end: 90d, or a time such as 2030-01-31T12:00:00Z.")

    def handle(self, *args: Any, **options: Any) -> None:
        rotation = Rotation(words.length(options["overlap"]), words.end(options["expires"]))
        try:
            token, secret = token_rotate(token=words.token(options["token"]), rotation=rotation)
        except CodeTetherError as error:
            raise CommandError(error.detail) from error
        until = f"; the old one works until {token.previous_until:%Y-%m-%d %H:%M} UTC" if token.previous_until else ""
        self.stderr.write(f"{token.name} ({token.id}) has a new secret{until}:")
        self.stdout.write(secret)
