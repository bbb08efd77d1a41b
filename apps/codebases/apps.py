"""Django app configuration."""

from django.apps import AppConfig


class CodebasesConfig(AppConfig):
    name = "apps.codebases"
    label = "codebases"
