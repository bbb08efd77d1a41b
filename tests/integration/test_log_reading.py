"""Reading a log page by page."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import close_old_connections, connection, connections
from django.db.models.functions import Now

from apps.tasks import log
from apps.tasks.log import reading
from apps.tasks.log.extract import tasks_with_events
from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.services import Outcome, task_finish, task_message, task_progress
from apps.tasks.states import State
from tests.factories import Cast

START = log.Cursor(0)


def say(cast: Cast, claim: object, *texts: str, seqs: list[int]) -> None:
    reported = [from_worker("output", {"content": text}) for text in texts]
    task_progress(claim=claim, reported=reported, seqs=seqs)  # type: ignore[arg-type]


def test_cursor_text_is_read_back() -> None:
    for cursor in (log.Cursor(7), log.Cursor(7, str(uuid.uuid4()), 3)):
        assert log.Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.2", "1.x.2", "1..2", "1.2.3.4", "٣", "9" * 30, f"1.{uuid.UUID(int=0)}.-1", "1 "]
)
def test_other_text_is_no_cursor(text: str) -> None:
    assert log.Cursor.parse(text) is None


def test_pages_follow_each_other_without_gap(cast: Cast) -> None:
    claim = cast.held()
    say(cast, claim, *"abcde", seqs=[1, 2, 3, 4, 5])
    seen: list[int] = []
    while page := log.read(claim.task_id, seen[-1] if seen else 0, limit=2):
        seen.extend(event.seq for event in page)
    assert seen == list(range(1, 8))


def test_page_is_bounded_by_bytes_but_never_empty(cast: Cast) -> None:
    claim = cast.held()
    large = "".join(uuid.uuid4().hex for _ in range(12_000))
    say(cast, claim, large, large, seqs=[1, 2])
    first = reading.task_page(claim.task_id, 2)
    assert [event.seq for event in first.events] == [3]
    assert not first.is_whole
    assert [event.seq for event in reading.task_page(claim.task_id, 3).events] == [4]


def test_a_task_is_read_with_its_events_and_what_its_agent_has_said_as_one(cast: Cast) -> None:
    claim = cast.held()
    say(cast, claim, "Good ", "morning", ".", seqs=[1, 2, 3])
    thought = from_worker("output", {"type": "reasoning", "content": "It is noon."})
    task_progress(claim=claim, reported=[thought], seqs=[4])
    ((task, events),) = tasks_with_events(
        [(cast.workspace.id, claim.task_id)], kinds=["claimed", "output"], kinds_of_result=[]
    )
    assert task.id == claim.task_id
    assert [(one.kind, one.data.get("content")) for one in events] == [("claimed", None), ("output", "Good morning.")]


def test_what_was_said_before_the_present_attempt_is_no_part_of_it(cast: Cast) -> None:
    claim = cast.held()
    say(cast, claim, "That failed.", seqs=[1])
    task_finish(claim=claim, outcome=Outcome(status=State.FAILED, error="It broke.", retry=True))
    Task.objects.update(available_at=Now())
    again = cast.held(Task.objects.get(id=claim.task_id))
    say(cast, again, "Now it works.", seqs=[1])
    named = [(cast.workspace.id, claim.task_id)]
    ((_, events),) = tasks_with_events(named, kinds=["output"], kinds_of_result=[])
    assert [one.data for one in events] == [{"content": "Now it works."}]


@pytest.mark.django_db(transaction=True)
def test_workspace_pages_are_bounded_by_bytes_too(cast: Cast) -> None:
    claim = cast.held()
    large = "".join(uuid.uuid4().hex for _ in range(12_000))
    say(cast, claim, large, large, seqs=[1, 2])
    first = reading.workspace_page(cast.workspace.id, START)
    second = reading.workspace_page(cast.workspace.id, first.resume)
    assert [event.seq for event in [*first.events, *second.events]] == [1, 2, 3, 4]
    assert (first.is_whole, len(second.events)) == (False, 1)


@pytest.mark.django_db(transaction=True)
def test_workspace_reader_sees_only_its_workspace_and_codebase(cast: Cast) -> None:
    shop, till = cast.codebase("shop"), cast.codebase("till")
    mine = cast.task(codebase_id=shop.id)
    cast.task(codebase_id=till.id)
    cast.elsewhere().task()
    found = log.read_workspace(cast.workspace.id, START, codebase_id=shop.id)
    assert [event.task_id for event in found] == [mine.id]
    assert len(log.read_workspace(cast.workspace.id, START)) == 2


@pytest.mark.django_db(transaction=True)
def test_event_carries_what_its_task_is_now(cast: Cast) -> None:
    claim = cast.held(title="Sweep")
    task_progress(claim=claim, reported=[from_worker("session", {"session_id": "s1"})], seqs=[1])
    (event,) = log.read(claim.task_id, limit=1)
    assert (event.title, event.worker_id, event.session_id, event.agent_type) == ("Sweep", "w1", "s1", "build")


@pytest.mark.django_db(transaction=True)
def test_slow_transaction_hides_nothing(cast: Cast) -> None:
    """Two real connections: the slow one writes first and commits last; the reader misses neither."""
    slow_task, quick_task = cast.task("slow"), cast.task("quick")
    seen = log.read_workspace(cast.workspace.id, START)
    place = seen[-1].cursor
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": False}) as slow:  # type: ignore[arg-type]
        append_by_hand(slow, slow_task.id)
        task_message(workspace_id=cast.workspace.id, task_id=quick_task.id, message="quick", by="ada")
        held = reading.workspace_page(cast.workspace.id, place)
        assert (held.events, held.is_held_back) == ([], True)
        slow.commit()
    found = log.read_workspace(cast.workspace.id, held.resume)
    assert [event.data["message"] for event in found] == ["slow", "quick"]


@pytest.mark.django_db(transaction=True)
def test_transaction_of_another_database_holds_nothing_back(cast: Cast) -> None:
    task = cast.task()
    with psycopg.connect(**connection.get_connection_params() | {"dbname": "postgres"}) as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        task_message(workspace_id=cast.workspace.id, task_id=task.id, message="m", by="ada")
        page = reading.workspace_page(cast.workspace.id, START)
    assert ([event.seq for event in page.events], page.is_held_back) == ([1, 2], False)


def append_by_hand(slow: psycopg.Connection[tuple[object, ...]], task_id: uuid.UUID) -> None:
    """What `append` does to one task, on a connection of its own that does not commit yet."""
    slow.execute(
        """
        WITH moved AS (
            UPDATE tasks_task t SET last_seq = last_seq + 1, last_steering_seq = last_seq + 1,
                position = GREATEST(position, pg_current_xact_id()::text::bigint)
            WHERE id = %s RETURNING id, last_seq, workspace_id, position
        )
        INSERT INTO tasks_taskevent (task_id, seq, workspace_id, position, kind, data, created_at)
        SELECT id, last_seq, workspace_id, position, 'message',
            '{"message": "slow", "by": "bo", "interrupt": false}', now() FROM moved
        """,
        [task_id],
    )


@pytest.mark.django_db(transaction=True)
def test_each_task_stays_in_order_under_concurrent_writers(cast: Cast) -> None:
    """Readers that go on from page to page while four writers write see every log whole and in order."""
    tasks = [cast.task(f"t{n}") for n in range(4)]

    def write(number: int) -> None:
        close_old_connections()
        for turn in range(25):
            task = tasks[(number + turn) % 4]
            task_message(workspace_id=cast.workspace.id, task_id=task.id, message=f"{number}-{turn}", by="ada")
        connections.close_all()

    seen: list[log.LogEvent] = []
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(4)]
        place, is_last = START, False
        while not is_last:
            is_last = all(writer.done() for writer in writers)
            page = reading.workspace_page(cast.workspace.id, place, "", 7)
            seen.extend(page.events)
            place, is_last = page.resume, is_last and page.is_whole
        [writer.result() for writer in writers]
    for task in tasks:
        assert [event.seq for event in seen if event.task_id == task.id] == list(range(1, 27))


def test_whole_log_of_a_workspace_comes_task_by_task_and_once(cast: Cast) -> None:
    tasks = [cast.task(title=str(number)) for number in range(3)]
    for number in range(5):
        task_message(workspace_id=cast.workspace.id, task_id=tasks[1].id, message=f"hello {number}", by="ada")
    cast.elsewhere().task()
    found, after = log.read_whole(cast.workspace.id, limit=2)
    while after is not None:
        events, after = log.read_whole(cast.workspace.id, after, limit=2)
        found += events
    assert [(event.title, event.seq) for event in found] == [("2", 1), *(("1", seq) for seq in range(1, 7)), ("0", 1)]
