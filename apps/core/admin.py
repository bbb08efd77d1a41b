"""Moves other packages' pages out of the way: Celery beat's tables are filled from the settings, not by hand."""

from django.contrib import admin
from django_celery_beat import models

for model in (
    models.PeriodicTask,
    models.IntervalSchedule,
    models.CrontabSchedule,
    models.SolarSchedule,
    models.ClockedSchedule,
):
    admin.site.unregister(model)
