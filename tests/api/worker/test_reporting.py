"""Events: batched, numbered by the client, written once, and only by the holder."""

import uuid
from typing import Any

import pytest

from apps.core.db import in_database
from apps.tasks import log
from apps.tasks.models import Task
from apps.tasks.services import task_cancel, task_requeue
from tests.api.worker.laptop import Json, Laptop
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def said(seq: int | None, text: str = "") -> Json:
    event: Json = {"kind": "output", "data": {"type": "text", "content": text or f"line {seq}"}}
    return event if seq is None else event | {"seq": seq}


async def lines() -> list[str]:
    """The output in the only task's log."""
    task = await in_database(Task.objects.get)
    return [event.data["content"] for event in await in_database(log.read, task.id) if event.kind == "output"]


async def held_by(laptop: Laptop, cast: Cast) -> Json:
    await in_database(cast.task)
    return await laptop.take()


async def test_batch_is_written_in_order(cast: Cast, w1: Laptop) -> None:
    answer = await w1.report(await held_by(w1, cast), said(1), said(2), said(3))
    assert answer.json() == {"success": True, "accepted": 3, "client_seq": 3, "task_seq": 5}
    assert await lines() == ["line 1", "line 2", "line 3"]


async def test_batch_sent_again_counts_once(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    for batch in ([1, 2], [1, 2], [2, 3], [1, 2, 3]):
        assert (await w1.report(held, *map(said, batch))).status_code == 200
    assert await lines() == ["line 1", "line 2", "line 3"]


async def test_late_batch_of_lower_numbers_is_left_out(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.report(held, said(3))
    assert (await w1.report(held, said(1), said(2))).json()["client_seq"] == 3
    assert await lines() == ["line 3"]


async def test_next_attempt_numbers_from_one_again(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.report(held, said(1, "first"), said(2, "try"))
    await w1.release(held, "pending")
    await w1.report(await w1.take(), said(1, "second try"))
    assert await lines() == ["first", "try", "second try"]


async def test_events_without_numbers_are_all_written(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.report(held, said(None, "a"), said(None, "a"))
    assert await lines() == ["a", "a"]


async def test_empty_batch_shows_that_the_claim_holds(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    assert (await w1.report(held)).json()["task_seq"] == 2


ODD: list[Any] = [
    None,
    "text",
    {},
    7,
    [7],
    [None],
    [{}],
    [{"kind": "output"}],
    [{"kind": "output", "data": []}],
    [{"kind": "output", "data": {}}],
    [{"kind": "output", "data": {"content": 7}}],
    [{"kind": "output", "data": {"content": "x", "type": "shout"}}],
    [{"kind": "completed", "data": {"result": "done"}}],
    [{"kind": "claimed", "data": {"worker_id": "w9", "attempt": 9}}],
    [{"kind": ["output"], "data": {}}],
    [{"kind": "usage", "data": {"input_tokens": -1}}],
    [{"kind": "usage", "data": {"input_tokens": 2**60}}],
    [{"kind": "usage", "data": {"cost_usd": True}}],
    [{"kind": "input_required", "data": {"question": None}}],
    [{"kind": "file_change", "data": {"action": "moved", "path": "a"}}],
    [said(1), said(1)],
    [said(2), said(1)],
    [said(1), said(None)],
    [said(0)],
    [said(2**63)],
    [said(1) | {"seq": "1"}],
    [said(1), {"kind": "gossip", "data": {}}],
    [said(n) for n in range(1, 502)],
]


async def test_bad_batch_is_refused_as_a_whole(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    before = await in_database(Task.objects.values().get)
    for events in ODD:
        refused = await w1.report(held, events=events)
        assert (refused.status_code, refused.json()["code"]) in [(400, "invalid"), (400, "unknown_event")], events
    assert await in_database(Task.objects.values().get) == before


async def test_500_events_are_one_batch(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    assert (await w1.report(held, *(said(n) for n in range(1, 501)))).json()["accepted"] == 500


async def test_what_programs_print_is_mended(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    assert (await w1.report(held, said(1, "a\0b"))).status_code == 200
    assert await lines() == ["a\ufffdb"]


async def test_wrong_token_changes_nothing(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    before = await in_database(Task.objects.values().get)
    for token in ("of no task", "", None, str(uuid.uuid4()), 7, ["x"], "\ud7ff"):
        refused = await w1.report(held, said(1), claim_token=token, worker_id="w2")
        assert refused.status_code in (400, 409), token
    assert await in_database(Task.objects.values().get) == before


async def test_token_of_another_task_is_stale(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task)
    held, other = await held_by(w1, cast), await w1.take()
    refused = await w1.report(held, said(1), claim_token=other["claim_token"])
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_claim")
    assert not await in_database(list, await in_database(log.read, held["id"], 2))


@pytest.mark.parametrize("take_away", [task_cancel, task_requeue])
async def test_after_the_task_was_taken_away_the_claim_is_stale(cast: Cast, w1: Laptop, take_away: Any) -> None:
    held = await held_by(w1, cast)
    await in_database(take_away, workspace_id=cast.workspace.id, task_id=uuid.UUID(held["id"]), by="ada")
    before = await in_database(Task.objects.values().get)
    refused = await w1.report(held, said(1))
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_claim")
    assert await in_database(Task.objects.values().get) == before


async def test_unknown_task_is_not_found(w1: Laptop) -> None:
    for task_id in ("none", str(uuid.uuid4()), "%2e%2e", "0" * 500):
        refused = await w1.report({"id": task_id, "claim_token": str(uuid.uuid4())}, said(1))
        assert (refused.status_code, refused.json()["code"]) == (404, "task_not_found"), task_id


async def test_session_and_usage_are_facts_of_the_task(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.report(
        held,
        {"seq": 1, "kind": "session", "data": {"session_id": "ses_1", "agent": "opencode"}},
        {"seq": 2, "kind": "usage", "data": {"input_tokens": 1, "cost_usd": 0.5, "made_up": 1}},
        {"seq": 3, "kind": "usage", "data": {"input_tokens": 5}},
    )
    task = await in_database(Task.objects.get)
    assert (task.session_id, task.usage) == ("ses_1", {"input_tokens": 5})
