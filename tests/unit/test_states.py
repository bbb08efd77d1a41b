"""The states: which edges there are, and that the end absorbs."""

import pytest

from apps.tasks.states import ASKING, EDGES, HELD, TERMINAL, State, may_move, sources_of


def test_every_state_has_its_edges() -> None:
    assert set(EDGES) == set(State)


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_terminal_states_absorb(end: State) -> None:
    assert not any(may_move(end, after) for after in State)


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_every_live_state_may_end_so(end: State) -> None:
    live = set(State) - TERMINAL
    assert sources_of(end) == (live if end is not State.COMPLETED else live - {State.PENDING})


def test_only_a_claim_or_an_answer_makes_a_task_run() -> None:
    assert sources_of(State.RUNNING) == {State.PENDING} | ASKING


def test_only_a_running_agent_can_ask() -> None:
    for asking in ASKING:
        assert sources_of(asking) == {State.RUNNING}


def test_what_is_held_can_be_given_back() -> None:
    assert sources_of(State.PENDING) == HELD


def test_nothing_completes_without_having_run() -> None:
    assert not may_move(State.PENDING, State.COMPLETED)


def test_no_state_moves_to_itself() -> None:
    assert not any(may_move(state, state) for state in State)


def test_every_state_can_be_reached_from_pending() -> None:
    reached, fresh = {State.PENDING}, {State.PENDING}
    while fresh:
        fresh = {after for before in fresh for after in EDGES[before]} - reached
        reached |= fresh
    assert reached == set(State)
