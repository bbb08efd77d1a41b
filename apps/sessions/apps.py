"""Django app configuration."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "apps.sessions"
    label = "agent_sessions"
    verbose_name = "Sessions"
