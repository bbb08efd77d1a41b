"""Sessions as workers sync them."""

from datetime import UTC, datetime

import pytest

from apps.core.errors import InvalidError, NotFoundError
from apps.sessions import reading
from apps.sessions.models import AgentSession, SessionMessage, SessionPart
from apps.sessions.selectors import message_facts, messages_of, session_get
from apps.sessions.services import messages_sync, sessions_sync
from tests.factories import Cast

OLD = {"id": "ses_1", "title": "Till", "created": "2026-01-02T03:04:05Z", "messageCount": 2}
NEW = {"id": "ses_1", "title": "Till, mended", "time": {"created": 1767323045000, "updated": 1767323046}}
MESSAGE = {
    "info": {"id": "msg_1", "role": "user", "time": {"created": 1767323045000}, "providerID": "p", "modelID": "m"},
    "parts": [{"id": "prt_1", "type": "text", "text": "Mend it"}, {"id": "prt_2", "type": "tool", "tool": "bash"}],
}


def synced(cast: Cast, *sessions: dict) -> AgentSession:
    codebase = cast.codebase()
    for session in sessions:
        sessions_sync(
            workspace_id=codebase.workspace_id,
            codebase_id=codebase.id,
            worker_id="w1",
            sessions=reading.sessions([session]),
        )
    return AgentSession.objects.get()


def test_both_spellings_of_a_session_are_one_row(cast: Cast) -> None:
    session = synced(cast, OLD, NEW)
    assert session.title == "Till, mended"
    assert session.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert session.updated_at > session.created_at


def test_message_synced_twice_is_there_once_with_its_parts(cast: Cast) -> None:
    session = synced(cast, OLD)
    for _ in range(2):
        assert messages_sync(session=session, messages=reading.messages([MESSAGE])) == 1
    assert (SessionMessage.objects.count(), SessionPart.objects.count()) == (1, 2)
    (facts,) = [message_facts(message) for message in messages_of(session)]
    assert (facts["role"], facts["model"], facts["content"]) == ("user", "p/m", "Mend it")
    assert [part["type"] for part in facts["parts"]] == ["text", "tool"]


def test_wrong_entry_is_named_and_nothing_is_written(cast: Cast) -> None:
    with pytest.raises(InvalidError) as refused:
        synced(cast, {"id": "ses_1", "created": "yesterday"})
    assert list(refused.value.errors or {}) == ["sessions[0].created_at"]
    assert not AgentSession.objects.exists()


def test_foreign_session_is_not_found(cast: Cast) -> None:
    session = synced(cast, OLD)
    with pytest.raises(NotFoundError):
        session_get(
            workspace_id=cast.elsewhere().workspace.id, codebase_id=session.codebase_id, session_id=session.session_id
        )
