"""`manage.py create_token`: make an API token, and print its secret, once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.management import words
from apps.accounts.models import User, Workspace
from apps.accounts.permissions import Role, Scope
from apps.accounts.tokens import token_create
from apps.core.errors import CodeTetherError


class Command(BaseCommand):
    help = "Make an API token. Its secret is printed alone, on standard output, and cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="What will use it: a worker's machine, a CI job, a script.")
        parser.add_argument("--role", choices=[role.value for role in Role], default=Role.OPERATOR.value)
        parser.add_argument(
            "--scope", action="append", choices=[scope.value for scope in Scope], default=[], dest="scopes",
            help="Narrows the role; give it as often as needed. None: all that the role allows.",
        )  # fmt: skip
        parser.add_argument(
            "--codebase", action="append", default=[], dest="codebases",
            help="A codebase's id: a worker with this token serves those named alone. None: all.",
        )  # fmt: skip
        parser.add_argument("--expires", default="", help="90d, 24h, or a time such as 2030-01-31T12:00:00Z.")
        parser.add_argument("--workspace", default=Workspace.DEFAULT_SLUG, help="Its slug.")
        parser.add_argument("--user", default="", help="The name of the person whose token it is; it ends with them.")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["user"]).first() if options["user"] else None
        if options["user"] and owner is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        try:
            token, secret = token_create(
                workspace=words.workspace(options["workspace"]),
                name=options["name"],
                role=Role(options["role"]),
                user=owner,
                scopes=options["scopes"],
                codebases=options["codebases"],
                expires_at=words.end(options["expires"]),
                made_by="manage.py create_token",
            )
        except CodeTetherError as error:
            raise CommandError(error.detail) from error
        self.stderr.write(f"The token {token.id} is made: {token.role} of {token.workspace.slug}. Keep its secret:")
        self.stdout.write(secret)
