"""Where the chains end is told to the outside: to the log, and by the guarded client to a webhook."""

import uuid
from typing import Any

import httpx
import pytest

from apps.audit.actions import Action
from apps.audit.anchoring import anchors_in, heads_anchor
from apps.audit.jobs import audit_anchor
from apps.audit.recording import record
from apps.audit.selectors import head_of
from apps.core.db import in_database
from apps.core.outbound import OutboundRefusedError
from codetether.env import SettingError, load
from tests.factories import Cast
from tests.fakes.webhook import receiving

ELSEWHERE = "https://anchors.example.org/heads"


@pytest.fixture
def trail(cast: Cast) -> uuid.UUID:
    record(Action.EXPORT, workspace_id=cast.workspace.id, by="ada")
    return cast.workspace.id


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_the_job_posts_the_heads(cast: Cast, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    await in_database(record, Action.EXPORT, workspace_id=cast.workspace.id, by="ada")
    seq, digest = await in_database(head_of, cast.workspace.id)
    async with receiving() as receiver:
        settings.AUDIT_ANCHOR_URL = receiver.url("/heads")
        await in_database(audit_anchor)
        (call,) = await receiver.got(1)
        assert (call.method, call.path) == ("POST", "/heads")
        assert call.json == {"heads": [{"workspace_id": str(cast.workspace.id), "seq": seq, "hash": digest}]}
        receiver.answers.append(503)
        with pytest.raises(httpx.HTTPStatusError):
            await in_database(audit_anchor)


@pytest.mark.django_db
def test_an_address_within_is_not_called_unless_it_is_allowed(trail: uuid.UUID, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = []
    settings.AUDIT_ANCHOR_URL = "http://127.0.0.1:9/heads"
    with pytest.raises(OutboundRefusedError):
        heads_anchor()


@pytest.mark.django_db
def test_the_log_tells_the_heads_in_words_that_are_read_back(
    trail: uuid.UUID, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="apps.audit.anchoring"):
        heads_anchor()
    (anchor,) = anchors_in(caplog.messages)
    assert (anchor.workspace_id, (anchor.seq, anchor.hash.hex())) == (trail, head_of(trail))


@pytest.mark.parametrize("wrong", ["anchors.example.org", "ftp://anchors.example.org/", "https://", "https://a\n"])
def test_an_anchor_address_that_is_none_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingError, match="A2A_AUDIT_ANCHOR_URL"):
        load({"A2A_AUDIT_ANCHOR_URL": wrong})
    assert load({"A2A_AUDIT_ANCHOR_URL": ELSEWHERE}).audit_anchor_url == ELSEWHERE
    assert load({}).audit_anchor_url == ""
