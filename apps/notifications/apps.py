"""Django app configuration."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "apps.notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """People hear of what needs them (models can only be imported now)."""
        from apps.notifications.jobs import on_changes  # noqa: PLC0415
        from apps.tasks.services.outbox import outbox_subscribe  # noqa: PLC0415

        outbox_subscribe(on_changes)
