"""`manage.py list_tokens`: the API tokens, never their secrets."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from apps.accounts.management import words
from apps.accounts.models import Workspace
from apps.accounts.tokens import token_facts, tokens_of

COLUMNS = "{id:36}  {hint:8}  {status:8}  {role:8}  {name}"


class Command(BaseCommand):
    help = "List a workspace's API tokens, newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", default=Workspace.DEFAULT_SLUG, help="Its slug.")
        parser.add_argument("--json", action="store_true", help="All that there is to say, one object a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        for token in tokens_of(words.workspace(options["workspace"]).id):
            facts = token_facts(token)
            line = json.dumps(facts, cls=DjangoJSONEncoder) if options["json"] else COLUMNS.format_map(facts)
            self.stdout.write(line)
