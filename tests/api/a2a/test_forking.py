"""`fork` in a message's metadata: a conversation goes two ways; and `agent`, the program that it is held with."""

import pytest
from django.utils import timezone

from apps.core.db import in_database
from apps.tasks.models import Task
from tests.api.a2a.client import Caller, Hand
from tests.api.a2a.connected import connect
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def made(answer: dict[str, object]) -> Task:
    return await Task.objects.aget(id=answer["id"])


async def test_fork_of_a_referenced_task_is_in_a_context_of_its_own(ada: Caller, hand: Hand) -> None:
    first = await ada.send("Paint it")
    await hand.finish(await hand.take(), session_id="ses_1")
    task = await made(await ada.send("Green", referenceTaskIds=[first["id"]], metadata={"fork": True}))
    assert (task.session_id, task.metadata["forked_from"]) == ("ses_1", "ses_1")
    assert task.context_id != first["contextId"]
    named = await made(
        await ada.send("Blue", referenceTaskIds=[first["id"]], contextId="blue", metadata={"fork": True})
    )
    assert (named.context_id, named.metadata["fork"]) == ("blue", True)


async def test_fork_within_its_context_takes_the_place_of_the_old_session(ada: Caller, hand: Hand) -> None:
    first = await ada.send("Paint it")
    await hand.finish(await hand.take(), session_id="ses_1")
    task = await made(await ada.send("Green", contextId=first["contextId"], metadata={"fork": True}))
    assert (task.session_id, task.context_id) == ("ses_1", first["contextId"])


@pytest.mark.parametrize("message", [{}, {"contextId": "new"}, {"taskId": "{first}"}, {"fork": "yes"}])
async def test_fork_of_nothing_is_refused(ada: Caller, message: dict[str, str]) -> None:
    first = await ada.send("Paint it")
    named = {name: value.format(first=first["id"]) for name, value in message.items()}
    metadata = {"fork": named.pop("fork", True)}
    said = {"messageId": "m2", "role": "user", "parts": [{"text": "Green"}], "metadata": metadata, **named}
    assert await ada.code("message/send", {"message": said}) == -32602
    assert await Task.objects.acount() == 1


@pytest.mark.parametrize(("is_here", "requires"), [(True, ["worker:w1"]), (False, [])])
async def test_conversation_goes_on_where_its_session_is_while_that_is_here(
    ada: Caller, hand: Hand, cast: Cast, is_here: bool, requires: list[str]
) -> None:
    gone = None if is_here else timezone.now()
    await in_database(lambda: connect(cast, "w1", global_codebase_id="global", unregistered_at=gone))
    first = await ada.send("Paint it")
    await hand.finish(await hand.take(), session_id="ses_1")
    more = await made(await ada.send("And the door", contextId=first["contextId"]))
    assert (more.session_id, more.requires) == ("ses_1", requires)
    other = await made(await ada.send("In Codex", contextId=first["contextId"], metadata={"agent": "codex"}))
    assert other.requires == ["codex"]


async def test_conversation_goes_on_with_its_program(ada: Caller, hand: Hand) -> None:
    first = await ada.send("Paint it", metadata={"agent": "codex"})
    task = await made(first)
    assert (task.requires, task.metadata["agent"]) == (["codex"], "codex")
    claim = await hand.take(capabilities=["codex"])
    await hand.say(claim, ("session", {"session_id": "ses_1", "agent": "codex"}))
    await hand.finish(claim)
    more = await made(await ada.send("And the door", contextId=first["contextId"]))
    assert (more.session_id, more.requires, more.metadata["session_agent"]) == ("ses_1", ["codex"], "codex")
