"""`manage.py seed_demo`: believable data for a development database, as little or as much as one wants."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.tasks.services.seeding import tasks_exist
from apps.workers.seeding import demo_seed

MOST = 5_000_000
FEW = 200


class Command(BaseCommand):
    help = "Fill a development database with made-up workspaces, codebases, workers, tasks, logs and sessions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scale", type=int, default=FEW, help=f"How many tasks (default: {FEW}); each has about twenty events."
        )
        parser.add_argument("--seed", type=int, default=1, help="Another number makes another history (default: 1).")
        parser.add_argument("--force", action="store_true", help="Even where the database holds tasks already.")

    def handle(self, *args: Any, **options: Any) -> None:
        if getattr(settings, "IS_PRODUCTION", False):
            raise CommandError("Made-up data is not for production: its settings refuse this command.")
        if not 1 <= options["scale"] <= MOST:
            raise CommandError(f"Give --scale from 1 to {MOST}.")
        if tasks_exist() and not options["force"]:
            raise CommandError("The database holds tasks already: give --force to put made-up ones beside them.")
        made = demo_seed(tasks=options["scale"], seed=options["seed"], told=self._telling(options["scale"]))
        self.stdout.write(f"Made {made.tasks} tasks, and {made.sessions} sessions with {made.messages} messages.")

    def _telling(self, total: int) -> Any:
        """Says how far it is, at each tenth of what takes long."""
        step = max(total // 10, 10_000)

        def told(number: int) -> None:
            if number % step < 400 and number < total:
                self.stdout.write(f"{number} of {total} tasks")

        return told
