"""Events: a closed set of kinds with closed schemas, and the fold that makes a row of a log."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.tasks import events
from apps.tasks.errors import UnknownEventError
from apps.tasks.events import FOLDS, MOVES, STEERING, Event, fold
from apps.tasks.reports import MAX_TEXT, WORKER_EVENTS, from_worker
from apps.tasks.states import State

FULL: dict[str, dict[str, Any]] = {
    "status": {"message": "thinking"},
    "output": {"type": "text", "content": "hi"},
    "tool_use": {"tool": "bash", "args": {"cmd": "ls"}, "call_id": "c1", "title": "list"},
    "tool_result": {"call_id": "c1", "tool": "bash", "status": "completed", "output": "a.py"},
    "file_change": {"action": "modified", "path": "a.py", "diff": "-a\n+b"},
    "artifact": {
        "artifact_id": "plan",
        "name": "plan.md",
        "description": "The plan.",
        "append": False,
        "last_chunk": True,
        "parts": [{"text": "# Plan", "media_type": "text/markdown", "filename": "plan.md"}],
        "metadata": {"pages": 1},
    },
    "usage": {"input_tokens": 1, "output_tokens": 2, "cached_input_tokens": 0, "cost_usd": 0.5, "model": "a/b"},
    "session": {"session_id": "ses_1", "agent": "opencode"},
    "input_required": {"question": "Which?", "options": [{"id": "a"}], "call_id": "c2", "auth": False, "diff": "+a"},
}


def test_there_is_an_example_of_every_kind() -> None:
    assert {kind: set(data) for kind, data in FULL.items()} == {k: set(fields) for k, fields in WORKER_EVENTS.items()}


@pytest.mark.parametrize("kind", WORKER_EVENTS)
def test_full_event_is_kept_as_it_is(kind: str) -> None:
    assert from_worker(kind, FULL[kind]) == Event(kind, FULL[kind])


@pytest.mark.parametrize("kind", WORKER_EVENTS)
def test_what_is_not_in_the_schema_is_left_out(kind: str) -> None:
    assert from_worker(kind, FULL[kind] | {"made_up": 1}) == Event(kind, FULL[kind])


@pytest.mark.parametrize("kind", WORKER_EVENTS)
def test_only_what_is_required_is_needed(kind: str) -> None:
    needed = {name: FULL[kind][name] for name, field in WORKER_EVENTS[kind].items() if field.required}
    assert from_worker(kind, needed) == Event(kind, needed)


REQUIRED = [(kind, name) for kind, fields in WORKER_EVENTS.items() for name, field in fields.items() if field.required]


@pytest.mark.parametrize(("kind", "name"), REQUIRED)
def test_missing_field_is_named(kind: str, name: str) -> None:
    with pytest.raises(UnknownEventError, match=f"data.{name}: .*{kind} needs it"):
        from_worker(kind, {key: value for key, value in FULL[kind].items() if key != name})


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, fields in WORKER_EVENTS.items() for name in fields])
def test_field_of_the_wrong_type_is_named(kind: str, name: str) -> None:
    wrong = 1 if isinstance(FULL[kind][name], str | bool) else "text"
    with pytest.raises(UnknownEventError, match=f"data.{name}: "):
        from_worker(kind, FULL[kind] | {name: wrong})


@pytest.mark.parametrize("kind", sorted(MOVES) + ["message", "", None, 7, ["output"], {"output": 1}])
def test_kinds_that_are_not_a_workers_are_refused(kind: object) -> None:
    with pytest.raises(UnknownEventError, match="kind: "):
        from_worker(kind, {})


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("output", "content", "x" * (MAX_TEXT + 1)),
        ("output", "type", "loud"),
        ("usage", "input_tokens", -1),
        ("usage", "input_tokens", 2**53),
        ("usage", "input_tokens", True),
        ("usage", "cost_usd", float("inf")),
        ("usage", "cost_usd", float("nan")),
        ("tool_result", "status", "maybe"),
    ],
)
def test_value_out_of_bounds_is_named(kind: str, name: str, value: object) -> None:
    with pytest.raises(UnknownEventError, match=f"data.{name}: "):
        from_worker(kind, FULL[kind] | {name: value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted({name for fields in WORKER_EVENTS.values() for name in fields})


@given(kind=st.sampled_from([*WORKER_EVENTS]) | JSON, data=JSON | st.dictionaries(st.sampled_from(NAMES), JSON))
def test_whatever_comes_is_an_event_of_the_schema_or_refused(kind: object, data: object) -> None:
    try:
        event = from_worker(kind, data)
    except UnknownEventError:
        return
    assert set(event.data) <= set(WORKER_EVENTS[event.kind])


# The fold ------------------------------------------------------------------------------------------------------------

CREATED = events.created({name: "" for name in events.FACTS_AT_CREATION} | {"max_attempts": 3, "session_id": ""})


def facts_after(*happened: Event) -> dict[str, Any]:
    return fold((event.kind, event.data) for event in (CREATED, *happened))


def test_every_kind_that_moves_is_folded() -> None:
    assert set(FOLDS) >= MOVES
    assert STEERING - set(FOLDS) == {"message"}


def test_claim_and_finish() -> None:
    claimed = events.claimed(worker_id="w1", attempt=1)
    done = events.completed(result="green", session_id="ses_1", usage={"input_tokens": 1})
    facts = facts_after(claimed, done)
    assert (facts["state"], facts["worker_id"], facts["attempt"]) == (State.COMPLETED, "w1", 1)
    assert (facts["result"], facts["session_id"], facts["usage"]) == ("green", "ses_1", {"input_tokens": 1})


def test_ending_without_session_or_usage_keeps_what_was_reported() -> None:
    reported = (from_worker("session", {"session_id": "ses_1"}), from_worker("usage", {"input_tokens": 4}))
    facts = facts_after(*reported, events.failed(error="no", code="broken"))
    assert (facts["session_id"], facts["usage"], facts["error_code"]) == ("ses_1", {"input_tokens": 4}, "broken")


def test_requeue_that_burns_nothing_grants_one_attempt_more() -> None:
    assert facts_after(events.requeued(reason="lease expired"))["max_attempts"] == 3
    assert facts_after(events.requeued(reason="drain", burn=False))["max_attempts"] == 4


def test_question_answer_and_lost_holder() -> None:
    asked = events.asked(state=State.INPUT_REQUIRED, question="?", options=[])
    claimed = events.claimed(worker_id="w1", attempt=1)
    running = facts_after(claimed, asked, events.answered(message="y", data={}, by="ada", resumes="running"))
    assert (running["state"], running["worker_id"]) == (State.RUNNING, "w1")
    left = facts_after(
        claimed,
        asked,
        events.lease_lost(worker_id="w1"),
        events.answered(message="y", data={}, by="ada", resumes="pending"),
    )
    assert (left["state"], left["worker_id"], left["max_attempts"]) == (State.PENDING, "", 4)


def test_kinds_that_change_no_fact_change_none() -> None:
    silent = [from_worker(kind, FULL[kind]) for kind in ("status", "output", "tool_use", "tool_result", "file_change")]
    assert facts_after(*silent, events.messaged(message="hi", by="ada")) == facts_after()
