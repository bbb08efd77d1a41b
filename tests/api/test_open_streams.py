"""So many streams at once, and no more: refused before the answer begins, in the shape of the face."""

from typing import Any

import pytest

from apps.accounts import open_streams
from apps.accounts.permissions import Scope
from apps.accounts.permits import permitted
from apps.accounts.principals import Credentials
from tests.api.conftest import Api
from tests.factories import Cast

STREAM = "/v1/monitor/stream"
MESSAGE = {"role": "ROLE_USER", "parts": [{"text": "Paint it"}]}


@pytest.fixture
def held(api: Api) -> Any:
    """One stream of the caller's is open within the block."""

    class Held:
        def __enter__(self) -> None:
            self.block = permitted(Credentials(f"Bearer {api.token}"), Scope.TASKS_READ)
            api.runner.run(self.block.__aenter__())

        def __exit__(self, *failure: object) -> None:
            api.runner.run(self.block.__aexit__(None, None, None))

    return Held()


def test_a_caller_has_only_so_many_streams(api: Api, cast: Cast, settings: Any, held: Any) -> None:
    settings.MAX_STREAMS_PER_CALLER = 1
    api.get("/v1/opencode/tasks")
    with held:
        refused = api.get(STREAM)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
        assert refused.headers["retry-after"] == "5"
        asked = {"jsonrpc": "2.0", "id": 1, "method": "SendStreamingMessage", "params": {"message": MESSAGE}}
        told = api.post("/a2a/jsonrpc", asked, headers={"a2a-version": "1.0"})
        assert (told.status_code, told.json()["error"]["code"]) == (429, -32000)
        assert api.get("/v1/opencode/tasks").json()["total"] == 0
    assert not open_streams._open


def test_a_process_has_only_so_many_streams(api: Api, settings: Any, held: Any) -> None:
    settings.MAX_STREAMS = 1
    with held:
        refused = api.get(STREAM)
    assert (refused.status_code, refused.json()["code"]) == (503, "streams_full")
