"""Django app configuration."""

from django.apps import AppConfig


class A2AConfig(AppConfig):
    name = "apps.a2a"
    label = "a2a_face"
    verbose_name = "A2A"

    def ready(self) -> None:
        """Changes of state are told to whoever has asked for it (models can only be imported now)."""
        from apps.a2a.jobs import on_changes  # noqa: PLC0415
        from apps.tasks.services.outbox import outbox_subscribe  # noqa: PLC0415

        outbox_subscribe(on_changes)
