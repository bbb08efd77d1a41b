"""Made-up data: it keeps the laws of true data (checked after each test by `workspace`), and never joins true data."""

import io
from collections import Counter
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Workspace
from apps.sessions.models import AgentSession, SessionMessage
from apps.tasks.models import OutboxEntry, Task, TaskEvent
from apps.tasks.states import State
from apps.workers.models import Worker
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def seed(**options: object) -> str:
    said = io.StringIO()
    call_command("seed_demo", stdout=said, **options)
    return said.getvalue()


def test_tasks_of_all_states_with_logs_and_sessions_are_made(workspace: Workspace) -> None:
    assert seed(scale=150).startswith("Made 150 tasks")
    assert set(Task.objects.values_list("state", flat=True)) == set(map(str, State))
    assert Task.objects.filter(attempt=2).exists()
    assert TaskEvent.objects.filter(kind="message").exists()
    assert TaskEvent.objects.count() > 150 * 15
    assert Worker.objects.exists()
    assert not OutboxEntry.objects.exists()
    session = AgentSession.objects.exclude(title="").first()
    assert session
    assert session.message_count == SessionMessage.objects.filter(session=session).count() > 0
    assert Task.objects.filter(session_id=session.session_id, codebase=session.codebase).exists()


def test_the_same_seed_makes_the_same_history(workspace: Workspace) -> None:
    seed(scale=40, seed=5)
    seed(scale=40, seed=5, force=True)
    times = Counter(Task.objects.values_list("title", "prompt", "state", "last_seq"))
    assert times.total() == 80
    assert all(number % 2 == 0 for number in times.values())


def test_a_database_with_tasks_is_left_alone(cast: Cast) -> None:
    task = cast.task()
    with pytest.raises(CommandError, match="--force"):
        seed(scale=10)
    assert list(Task.objects.all()) == [task]
    assert not Worker.objects.exists()


def test_production_refuses(workspace: Workspace, settings: Any) -> None:
    settings.IS_PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        seed(scale=10, force=True)
    assert not Task.objects.exists()


@pytest.mark.parametrize("scale", [0, 5_000_001])
def test_a_scale_out_of_bounds_is_refused(workspace: Workspace, scale: int) -> None:
    with pytest.raises(CommandError, match="--scale"):
        seed(scale=scale)
    assert not Task.objects.exists()
