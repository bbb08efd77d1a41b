"""Sessions as workers sync them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from apps.core.errors import InvalidError, NotFoundError
from apps.sessions import reading
from apps.sessions.models import AgentSession, SessionMessage, SessionPart
from apps.sessions.selectors import message_facts, messages_of, session_get
from apps.sessions.services import messages_sync, sessions_sync
from tests.factories import Cast

OLD = {"id": "ses_1", "title": "Till", "created": "2026-01-02T03:04:05Z", "messageCount": 2}
NEW = {"id": "ses_1", "title": "Till, mended", "time": {"created": 1767323045000, "updated": 1767323046}}
MESSAGE: dict[str, Any] = {
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


def stored() -> list[list[dict[str, Any]]]:
    """All rows of messages and parts, with their versions: a row that is written, even with the same, gets another."""
    rows = []
    with connection.cursor() as cursor:
        for model in (SessionMessage, SessionPart):
            cursor.execute(f"SELECT to_jsonb(r), r.xmin::text FROM {model._meta.db_table} r ORDER BY r.id")  # noqa: S608
            rows.append(cursor.fetchall())
    return rows


def test_what_is_stored_just_so_is_not_written_again(cast: Cast) -> None:
    session = synced(cast, OLD)
    messages = [MESSAGE, {"id": "msg_2", "role": "assistant", "content": "Mended"}]
    messages_sync(session=session, messages=reading.messages(messages))
    before = stored()
    assert messages_sync(session=session, messages=reading.messages(messages)) == 2
    assert stored() == before


@pytest.mark.parametrize(
    "change",
    [
        {"role": "assistant"}, {"content": "Mended"}, {"agent": "plan"}, {"tokens": {"input": 3}},
        {"created_at": "2026-02-03T04:05:06Z"}, {"modelID": "m-2"},
        {"parts": [*MESSAGE["parts"][:1], {**MESSAGE["parts"][1], "tool": "edit"}]},
        {"parts": [*MESSAGE["parts"], {"id": "prt_3", "type": "text", "text": "More"}]},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_every_change_of_a_message_is_written(cast: Cast, change: dict[str, Any]) -> None:
    session = synced(cast, OLD)
    info = {**MESSAGE["info"], **{name: value for name, value in change.items() if name != "parts"}}
    changed = {"info": info, "parts": change.get("parts", MESSAGE["parts"])}
    messages_sync(session=session, messages=reading.messages([MESSAGE]))
    row = SessionMessage.objects.get(message_id="msg_1").pk
    messages_sync(session=session, messages=reading.messages([changed]))
    after = [message_facts(message) for message in messages_of(session)]
    assert SessionMessage.objects.get().pk == row  # whoever knows the message by its row still finds it
    SessionMessage.objects.all().delete()
    messages_sync(session=session, messages=reading.messages([changed]))
    assert after == [message_facts(message) for message in messages_of(session)]


def test_messages_of_one_batch_are_told_apart(cast: Cast) -> None:
    session = synced(cast, OLD)
    messages_sync(session=session, messages=reading.messages([MESSAGE, {"id": "msg_2", "content": "a"}]))
    changed = [MESSAGE, {"id": "msg_2", "content": "b"}, {"id": "msg_3", "content": "c"}]
    messages_sync(session=session, messages=reading.messages(changed))
    assert [message.text for message in messages_of(session).order_by("message_id")] == ["Mend it", "b", "c"]
    session.refresh_from_db()
    assert session.message_count == 3


def test_odd_values_are_stored_as_they_are(cast: Cast) -> None:
    session = synced(cast, OLD)
    odd = {"n": 1e20, "deep": [[[{}]]], "quotes": "'\"\\$$ %s {}", "empty": "", "none": None, "smile": "\U0001f600"}
    part = {"id": "p'1", "type": "x", "input": odd}
    messages_sync(session=session, messages=reading.messages([{"id": "m'1", "extra": odd, "parts": [part]}]))
    (facts,) = [message_facts(message) for message in messages_of(session)]
    assert (facts["id"], facts["info"], facts["parts"]) == ("m'1", {"extra": odd}, [part])


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "m", "role": 5}, "role"),
        ({"id": "m", "parts": {"0": {}}}, "parts"),
        ({"id": "m", "parts": [{}, 5]}, "parts[1]"),
        ({"id": "m", "parts": [{"id": 7}]}, "parts[0].id"),
        ({"id": "m", "parts": [{"type": ["x"]}]}, "parts[0].type"),
        ({"id": "m", "model": {"id": 5}}, "model"),
        ({"id": "m", "time": {"created": "soon"}}, "created_at"),
    ],
)
def test_wrong_message_is_named_by_its_place_and_field(entry: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        reading.messages([MESSAGE, entry])
    assert list(refused.value.errors or {}) == [f"messages[1].{field}"]


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
