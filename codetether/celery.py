"""The Celery application: `celery -A codetether worker|beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")  # noqa: TID251

app = Celery("codetether")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")
