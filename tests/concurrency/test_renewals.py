"""Heartbeats of many claims beside others that lock the same tasks: nobody waits in a ring."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from apps.tasks.services import Claim, lease_renew, limit_set
from tests.concurrency.actors import PATIENCE, Actor, close_connection, wait_until_blocked
from tests.concurrency.acts import ACTS
from tests.factories import Cast


def renew(claims: list[Claim]) -> int:
    shown = {claim.task_id: claim.token for claim in claims}
    return len(lease_renew(workspace_id=claims[0].workspace_id, claims=shown))


@pytest.mark.parametrize("order", ["as made", "backwards"])
def test_heartbeat_that_waits_for_one_task_holds_no_later_one(
    cast: Cast, first: Actor, second: Actor, order: str
) -> None:
    claims = [cast.held() for _ in range(3)]
    assert first.begin().do(ACTS["report"].attempt, claims[0]) == "ok"
    beat = second.start(renew, claims if order == "as made" else claims[::-1])
    wait_until_blocked(second, first)
    for claim in claims[1:]:
        assert first.do(ACTS["report"].attempt, claim) == "ok"
    first.commit()
    assert beat.result(PATIENCE) == 3


def test_heartbeats_with_the_same_claims_in_all_orders(cast: Cast) -> None:
    claims = [cast.held() for _ in range(20)]
    orders = [claims, claims[::-1], claims[::2] + claims[1::2], claims[7:] + claims[:7]]

    def beat(order: list[Claim]) -> int:
        try:
            return sum(renew(order) for _ in range(20))
        finally:
            close_connection()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(beat, orders)) == [400] * 4


def test_heartbeat_beside_a_new_limit_that_counts_the_same_tasks(cast: Cast, first: Actor, second: Actor) -> None:
    claims = [cast.held() for _ in range(3)]
    bind = partial(limit_set, workspace_id=cast.workspace.id, kind="workspace", most=9, by="ada")
    assert first.begin().do(renew, claims[::-1]) == 3
    binding = second.start(bind)
    wait_until_blocked(second, first)
    first.commit()
    assert binding.result(PATIENCE).held == 3
