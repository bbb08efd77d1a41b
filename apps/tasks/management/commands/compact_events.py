"""`manage.py compact_events`: what the hourly job does, at once and with another age."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.tasks.services import events_compact, events_compactable

FOR_EVER = 10 * 365 * 86_400.0


class Command(BaseCommand):
    help = "Remove what was said in tasks that ended long ago; the tasks, their results and their moves stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=float, help="How long ago (default: A2A_RETENTION_DAYS).")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would go.")

    def handle(self, *args: Any, **options: Any) -> None:
        days = settings.RETENTION_DAYS if options["days"] is None else options["days"]
        if days <= 0:
            raise CommandError("Say how old by --days, more than 0: A2A_RETENTION_DAYS=0 keeps everything.")
        if options["dry_run"]:
            found = events_compactable(days=days)
            self.stdout.write(f"Up to {found.events} events of {found.tasks} tasks would go.")
        else:
            done = events_compact(days=days, seconds=FOR_EVER)
            self.stdout.write(f"{done.events} events of {done.tasks} tasks are gone.")
