"""Spoilt calls of the worker protocol, of signing in and out, of workspaces and sockets: no error of the server's own.

`CODETETHER_FUZZ_CASES` sets how many are made of each route.
"""

import json
import os
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.accounts.principals import forget_tokens
from tests.api.bad_input import ROUTES
from tests.api.conftest import Api
from tests.api.good_calls import Place
from tests.api.matrix import http, websocket
from tests.api.test_bad_input import furnish
from tests.factories import Cast
from tests.fakes.identity_provider import IdentityProvider
from tests.fuzz.calls import ODD_HEADERS, SEGMENTS
from tests.fuzz.spoiling import spoilt_body

CASES = int(os.environ.get("CODETETHER_FUZZ_CASES", "8"))
PARTS = (
    "/v1/worker/", "/v1/opencode/workers/", "/v1/tasks/", "/v1/auth/", "/v1/users/", "/v1/workspaces",
    "/v1/invitations/", "/v1/opencode/tasks/{task_id}/status", "/v1/opencode/tasks/{task_id}/output",
)  # fmt: skip
SPOILT = sorted(name for name, route in ROUTES.items() if name.split()[1].startswith(PARTS) and route.good is not None)
HEADERS = st.sampled_from(
    [(name.decode(), value.decode("latin-1")) for name, values in ODD_HEADERS for value in values]
)
UNHARMED = ("host", "authorization", "cookie")
"""Headers that would end the call before it is read."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200)]


def made(strategy: st.SearchStrategy[Any], number: int) -> list[Any]:
    """As many cases as are asked for, the same each time."""
    found: list[Any] = []
    only_made = hypothesis_settings(
        max_examples=CASES, phases=[Phase.generate], deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    seed(number)(only_made(given(strategy)(lambda case: found.append(case))))()
    return found


@st.composite
def calls(draw: Any, name: str, place: Place) -> tuple[str, str, bytes, dict[str, str]]:
    """(method, path, body, headers) of a call that was good before it was spoilt."""
    method, path = name.split()
    good = ROUTES[name].good
    assert good is not None
    here = place.unknown(draw(st.sampled_from(SEGMENTS))) if draw(st.integers(0, 5)) == 3 else place
    odd = [one for one in draw(st.lists(HEADERS, max_size=1)) if one[0] not in UNHARMED]
    return method, here.fill(path), spoilt_body(draw, good(place)), dict(odd)


def test_no_call_is_the_servers_fault(admin: Api, cast: Cast) -> None:
    place, statuses, wrong = furnish(cast), Counter[int](), []
    for number, name in enumerate(SPOILT):
        for method, path, body, headers in made(calls(name, place), number):
            forget_tokens()
            with transaction.atomic():
                status, said = admin.runner.run(http(method, path, admin.token, body, **headers))
                transaction.set_rollback(True)
            statuses[status] += 1
            if status >= 500:
                wrong.append(f"{method} {path} {headers} {body[:300]!r}: {status} {said[:300]!r}")
    assert not wrong, "\n".join(wrong)
    assert statuses[200] > len(SPOILT) / 2, f"the calls are too wild to show anything: {statuses}"


@st.composite
def logout_forms(draw: Any, provider: IdentityProvider) -> bytes:
    """A logout token that holds, with spoilt claims, or what is none."""
    names = draw(st.lists(st.sampled_from(["sub", "sid", "jti", "iat", "events", "aud", "nonce"])))
    claims = {name: draw(st.sampled_from(["x", "", 1, None, [], {}, "a\0b", 10**13, "x" * 999])) for name in names}
    token = draw(st.sampled_from([provider.logout_token(**claims), "a.b.c", "ey.e30.", "\xff", ""]))
    name = draw(st.sampled_from(["logout_token"] * 4 + ["token", "logout_token[]", "%00"]))
    return f"{name}={quote(token, safe='')}".encode()


def test_no_logout_of_the_provider_is_the_servers_fault(api: Api, settings: Any) -> None:
    """The callback takes what a browser brings: whatever that is, it was not begun here."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    query = st.text(st.characters(codec="latin-1"), max_size=20).map(lambda text: quote(text.encode()))
    with IdentityProvider() as provider:
        settings.OIDC, settings.OUTBOUND_ALLOWED = provider.settings(), ["127.0.0.1"]
        for body in made(logout_forms(provider), 1):
            with transaction.atomic():
                status, said = api.runner.run(http("POST", "/oidc/backchannel-logout", "", body, **form))
                transaction.set_rollback(True)
            assert status < 500, (body, said)
        for state in made(query, 2):
            status, said = api.runner.run(http("GET", f"/oidc/callback/?state={state}&code={state}&error={state}"))
            assert status < 500, (state, said)


FRAMES: dict[str, Any] = {"token": "ct_x", "last_event_id": "1", "workspace": "default"}


@st.composite
def frames(draw: Any) -> bytes:
    return spoilt_body(draw, FRAMES)


@pytest.mark.parametrize("path", ["/ws/monitor/", "/ws/tasks/{task_id}/", "/ws/tasks/%00/", "/ws/none/"])
def test_no_first_frame_is_the_servers_fault(api: Api, cast: Cast, path: str) -> None:
    path = path.format(task_id=cast.task().id)
    for number, frame in enumerate(made(frames(), 3)):
        token = api.token if number % 2 else ""
        code = api.runner.run(websocket(path, token, frame.decode("utf-8", "replace")))
        assert code in (0, 4400, 4401, 4403, 4404, 4429), (code, frame)


def test_the_good_frame_and_the_good_call_are_taken(admin: Api, cast: Cast) -> None:
    """Else the tests above would show nothing."""
    frame = json.dumps({"token": admin.token, "workspace": "default"})
    assert admin.runner.run(websocket("/ws/monitor/", "", frame)) == 0
