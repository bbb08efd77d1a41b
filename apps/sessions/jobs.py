"""Celery's jobs of the sessions."""

from celery import shared_task

from apps.sessions.search import search_update


@shared_task(ignore_result=True)
def search_take_in() -> None:
    """Let the search find what has been synced since it last ran."""
    search_update()
