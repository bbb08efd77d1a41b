"""Refusals in the audit trail: of every way in, with who was refused, and never more than the disk can take."""

from typing import Any

import grpc
import pytest
from django.db import OperationalError

from apps.accounts import refusals
from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role
from apps.accounts.tokens import token_revoke
from apps.audit.allowance import PER_ADDRESS, Allowance
from apps.audit.models import AuditEntry
from tests.api.conftest import Api
from tests.api.matrix import by_grpc, websocket
from tests.factories import Cast

pytestmark = pytest.mark.django_db
SEND = "/lf.a2a.v1.A2AService/SendMessage"


def refused() -> list[tuple[str, str, Any]]:
    """(who, where, status) of each refusal, oldest first."""
    entries = AuditEntry.objects.filter(outcome="refused").order_by("seq")
    return [(entry.actor, entry.target, entry.details.get("status")) for entry in entries]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/users/api-keys"), ("POST", "/v1/worker/tasks/claim")])
def test_a_missing_scope_is_written_down_in_both_lanes(api: Api, method: str, path: str) -> None:
    assert api.call(method, path, json={}).status_code == 403
    assert refused() == [("a operator", f"{method} {path}", 403)]
    token = ApiToken.objects.get()
    assert AuditEntry.objects.get(outcome="refused").details["caller"] == f"token:{token.pk}"


@pytest.mark.parametrize("path", ["/v1/users/api-keys", "/v1/opencode/tasks/1/output/stream"])
def test_a_wrong_token_is_written_down_in_both_lanes(api: Api, path: str) -> None:
    assert api.bearing("ct_guessed").get(path).status_code == 401
    assert refused() == [("nobody known", f"GET {path}", 401)]


def test_a_token_that_was_revoked_is_named(api: Api, cast: Cast) -> None:
    secret = cast.token(Role.ADMIN)
    token_revoke(token=ApiToken.objects.get(name="a admin"))
    assert api.bearing(secret).get("/v1/auth/me").status_code == 401
    assert refused() == [("a admin", "GET /v1/auth/me", 401)]


def test_another_workspace_is_written_down_where_the_caller_belongs(api: Api, cast: Cast) -> None:
    other = cast.elsewhere().workspace
    assert api.call("GET", "/v1/auth/me", headers={"X-Workspace": other.slug}).status_code == 403
    assert refused() == [("a operator", "GET /v1/auth/me", 403)]
    assert AuditEntry.objects.get(outcome="refused").workspace_id == cast.workspace.id


def test_who_brings_nothing_leaves_no_entry(api: Api) -> None:
    assert api.bearing("").get("/v1/auth/me").status_code == 401
    assert refused() == []


def test_sockets_and_grpc_are_ways_in_as_well(api: Api, cast: Cast) -> None:
    worker = cast.token(Role.WORKER)
    assert api.runner.run(websocket("/ws/monitor/", worker)) == 4403
    assert api.runner.run(by_grpc(SEND, "ct_guessed", "none")) == grpc.StatusCode.UNAUTHENTICATED
    assert refused() == [
        ("a worker", "WS /ws/monitor/", 403),
        ("nobody known", "GRPC lf.a2a.v1.SendMessageRequest", 401),
    ]
    assert set(AuditEntry.objects.filter(outcome="refused").values_list("address", flat=True)) == {"127.0.0.1"}


def test_of_many_refusals_a_few_are_written_and_the_next_tells_of_the_rest(api: Api, cast: Cast) -> None:
    for _ in range(PER_ADDRESS + 5):
        assert api.bearing("ct_guessed").get("/v1/auth/me").status_code == 401
    assert len(refused()) == PER_ADDRESS
    assert api.runner.run(by_grpc(SEND, "ct_guessed", "none")) == grpc.StatusCode.UNAUTHENTICATED
    assert len(refused()) == PER_ADDRESS


def test_an_allowance_is_per_address_and_minute_and_tells_what_was_left_out() -> None:
    now = 0.0
    allowance = Allowance(lambda: now)
    taken = [allowance.take("192.0.2.1") for _ in range(PER_ADDRESS + 3)]
    assert taken == [0] * PER_ADDRESS + [None] * 3
    assert allowance.take("192.0.2.2") == 3
    now = 60.0
    assert allowance.take("192.0.2.1") == 0


def test_many_addresses_together_get_no_more_than_their_share() -> None:
    allowance = Allowance(lambda: 0.0)
    assert sum(allowance.take(f"192.0.2.{number}") is not None for number in range(1000)) == 200


def test_a_database_that_takes_no_entry_refuses_nobody_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(refusals, "record", away)
    assert api.get("/v1/users/api-keys").status_code == 403
