"""The same conversations by every official client, in every version and binding that it speaks."""

import threading

import pytest

from tests.contract.clients.hands import Hand
from tests.contract.clients.speaking import Seen, Speaker, answered

pytestmark = pytest.mark.django_db  # the site's database is a copy of the tests' own


def test_the_card_names_every_binding(speaker: Speaker) -> None:
    card = speaker.card()
    interfaces = card.get("supportedInterfaces") or [
        {"protocolBinding": card["preferredTransport"]},
        *({"protocolBinding": one["transport"]} for one in card["additionalInterfaces"]),
    ]
    assert {one["protocolBinding"] for one in interfaces} == {"JSONRPC", "HTTP+JSON", "GRPC"}
    assert card["capabilities"]["streaming"] is True


def test_a_send_waits_for_the_end(speaker: Speaker, hand: Hand) -> None:
    sending = speaker.send("Calculate 25 * 4")
    held = hand.take()
    held.finish("100")
    task = answered(sending)
    assert (task.task_id, task.state, task.words) == (held.task_id, "completed", "100")
    assert task.artifacts == {"result": "100"}
    assert task.history == ["Calculate 25 * 4"]


def test_a_send_that_does_not_wait_is_answered_at_once(speaker: Speaker, hand: Hand) -> None:
    task = speaker.sent("Calculate 25 * 4")
    assert task.state == "submitted"
    held = hand.take()
    assert speaker.get(task.task_id).state == "working"
    held.finish("100")
    assert speaker.get(task.task_id).artifacts == {"result": "100"}


def test_a_plain_answer_is_a_message(speaker: Speaker, hand: Hand) -> None:
    sending = speaker.send("Hello")
    hand.take().finish("Hi!", direct=True)
    message = answered(sending)
    assert (message.kind, message.words) == ("message", "Hi!")


def test_a_stream_tells_all_from_the_beginning_to_the_end(speaker: Speaker, hand: Hand) -> None:
    events = speaker.stream("Write")
    working = threading.Thread(target=write_two_chunks, args=(hand,))
    working.start()
    told = list(events)
    working.join()
    assert [event.kind for event in told] == ["task", "status", "artifact", "artifact", "status"]
    assert [event.state for event in told if event.kind == "status"] == ["working", "completed"]
    assert [event.words for event in told[2:4]] == ["one ", "two"]
    if speaker.way.tells_appending:
        assert [bool(event.body.get("append")) for event in told[2:4]] == [False, True]


def write_two_chunks(hand: Hand) -> None:
    held = hand.take()
    held.say("one ")
    held.say("two")
    held.finish("one two")


def test_two_who_subscribe_hear_the_same_in_the_same_order(speaker: Speaker, hand: Hand) -> None:
    task = speaker.sent("Write")
    first, second = speaker.subscribe(task.task_id), speaker.subscribe(task.task_id)
    opened = [next(first), next(second)]
    assert [(event.kind, event.state) for event in opened] == [("task", "submitted")] * 2
    held = hand.take()
    held.report("artifact", artifact_id="a", name="poem", parts=[{"text": "roses "}], last_chunk=False)
    held.report("artifact", artifact_id="a", name="poem", parts=[{"text": "are red"}], append=True, last_chunk=True)
    held.finish()
    heard = [list(first), list(second)]
    assert heard[0] == heard[1]
    assert [(event.kind, event.words) for event in heard[0]] == [
        ("status", ""), ("artifact", "roses "), ("artifact", "are red"), ("status", ""),
    ]  # fmt: skip
    assert speaker.get(task.task_id).artifacts == {"poem": "roses are red"}


def test_a_question_is_answered_by_the_tasks_id_alone(speaker: Speaker, hand: Hand) -> None:
    sending = speaker.send("Paint it")
    held = hand.take()
    held.ask("Which colour?")
    asked = answered(sending)
    assert (asked.state, asked.words) == ("input-required", "Which colour?")
    answering = speaker.send("Red", task_id=asked.task_id)
    speaker_is_heard(speaker, asked, "working")
    assert [message["message"] for message in held.messages()] == ["Red"]
    held.finish("painted")
    task = answered(answering)
    assert (task.task_id, task.context_id, task.state) == (asked.task_id, asked.context_id, "completed")
    assert task.history == ["Paint it", "Which colour?", "Red"]


def speaker_is_heard(speaker: Speaker, task: Seen, state: str) -> None:
    """The message has come to the task, whose state has become this."""
    events = speaker.subscribe(task.task_id)
    for event in events:
        if event.state == state:
            return


def test_a_context_goes_on_with_the_agents_session(speaker: Speaker, hand: Hand) -> None:
    sending = speaker.send("Paint the wall")
    hand.take().finish("painted", session_id="ses_1")
    first = answered(sending)
    second = speaker.sent("And the door", context_id=first.context_id)
    assert second.context_id == first.context_id
    assert second.task_id != first.task_id
    held = hand.take()
    assert (held.claim["session_id"], held.claim["prompt"]) == ("ses_1", "And the door")
    held.finish()


@pytest.mark.parametrize(("length", "expected"), [(1, ["two"]), (2, ["one", "two"])])
def test_history_is_as_long_as_was_asked_for(speaker: Speaker, hand: Hand, length: int, expected: list[str]) -> None:
    task = speaker.sent("zero")
    held = hand.take()
    for text in ("one", "two"):
        speaker.sent(text, task_id=task.task_id)
    assert speaker.get(task.task_id, historyLength=length).history == expected
    assert speaker.get(task.task_id).history == ["zero", "one", "two"]
    held.finish()


def test_cancel(speaker: Speaker, hand: Hand) -> None:
    task = speaker.sent("Sleep")
    held = hand.take()
    assert speaker.cancel(task.task_id).state == "canceled"
    assert speaker.get(task.task_id).state == "canceled"
    assert held.is_cancelled()


def test_the_extended_card_names_the_agents_that_are_there(speaker: Speaker, hand: Hand) -> None:
    assert f"agent:{hand.role}" in [skill["id"] for skill in speaker.extended_card()["skills"]]
