"""`manage.py keycloak_client` (`make keycloak-client`): prepare this installation's client in Keycloak."""

from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.keycloak import ADMIN_REALM, Keycloak, client_prepare
from apps.accounts.oidc.provider import provider
from apps.accounts.private_files import write_private
from apps.core.errors import CodeTetherError

SECRET_FILE = "keycloak-client-secret"


class Command(BaseCommand):
    help = "Prepare the client in Keycloak; its secret goes to a file of the data folder, and nowhere else."
    requires_system_checks: tuple[str, ...] = ()  # it needs no database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--admin-realm", default=ADMIN_REALM, help="The realm that the administrator is in.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = provider()
        username, password = settings.KEYCLOAK_ADMIN
        if found is None or not username:
            raise CommandError("Set KEYCLOAK_URL, KEYCLOAK_REALM, KEYCLOAK_CLIENT_ID and KEYCLOAK_ADMIN_USERNAME.")
        if not settings.A2A_AGENT_URL_IS_GIVEN:
            raise CommandError("Set A2A_AGENT_URL: the address under which browsers reach this installation.")
        try:
            keycloak = Keycloak(
                found.settings,
                username=username,
                password=password or getpass(f"Password of {username} in Keycloak: "),
                admin_realm=options["admin_realm"],
            )
            done = client_prepare(keycloak=keycloak, configured=found.settings, address=settings.A2A_AGENT_URL)
        except CodeTetherError as error:
            raise CommandError(error.detail) from error
        path = settings.DATA_DIR / SECRET_FILE
        write_private(path, done.secret + "\n")
        for change in done.changes or ["nothing to change"]:
            self.stdout.write(change)
        self.stdout.write(f"The client's secret is in {path}: set KEYCLOAK_CLIENT_SECRET to it.")
