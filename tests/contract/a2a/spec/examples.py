"""An example of the specification: what is sent, what the agent does, and what the client must then see."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from a2a.types import Role, SendMessageResponse, TaskState
from google.protobuf.json_format import MessageToDict

from tests.api.a2a.client import Hand
from tests.contract.a2a.spec.bindings import Json, Speaker
from tests.contract.a2a.spec.working import Work


@dataclass(frozen=True)
class Example:
    """`sees` looks at what a client gets that waited."""

    chapter: str
    params: Json
    work: Work
    sees: Callable[[SendMessageResponse], None]


def completed_with(words: str) -> Callable[[SendMessageResponse], None]:
    def sees(answer: SendMessageResponse) -> None:
        assert answer.task.id
        assert answer.task.context_id
        assert answer.task.status.state == TaskState.TASK_STATE_COMPLETED
        assert answer.task.status.timestamp.seconds > 0
        (artifact,) = answer.task.artifacts
        assert (bool(artifact.artifact_id), artifact.parts[0].text) == (True, words)

    return sees


def is_message(answer: SendMessageResponse) -> None:
    assert answer.WhichOneof("payload") == "message"
    assert (answer.message.role, bool(answer.message.message_id)) == (Role.ROLE_AGENT, True)
    assert answer.message.parts[0].text == "Sunny."
    assert not answer.message.task_id


def needs_input(answer: SendMessageResponse) -> None:
    status = answer.task.status
    assert (status.state, status.message.role) == (TaskState.TASK_STATE_INPUT_REQUIRED, Role.ROLE_AGENT)
    assert status.message.parts[0].text == "Where from, and when?"


def has_failed(answer: SendMessageResponse) -> None:
    status = answer.task.status
    assert (status.state, status.message.parts[0].text) == (TaskState.TASK_STATE_FAILED, "No seat left.")


def has_no_history(answer: SendMessageResponse) -> None:
    assert (answer.task.status.state, len(answer.task.history)) == (TaskState.TASK_STATE_COMPLETED, 0)


def shows_the_file(answer: SendMessageResponse) -> None:
    words, picture = answer.task.history[0].parts
    assert (words.text, picture.media_type, picture.filename) == ("Find the faces.", "image/png", "people.png")
    assert picture.WhichOneof("content") in ("raw", "url")


def links_to_a_file(answer: SendMessageResponse) -> None:
    (part,) = answer.task.artifacts[0].parts
    assert (part.url, part.media_type, part.filename) == ("https://x.example/faces.png", "image/png", "faces.png")


def holds_data(answer: SendMessageResponse) -> None:
    (part,) = answer.task.artifacts[0].parts
    assert MessageToDict(part.data) == [{"ticket": "T-1", "open": True}]


@contextmanager
def told(example: Example) -> Iterator[None]:
    """What fails within says which example it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the example {example.chapter}")
        raise


def fresh(example: Example) -> Json:
    """Its parameters under a message id of their own: one that was seen before would be the same message."""
    return {**example.params, "message": {**example.params["message"], "messageId": uuid.uuid4().hex}}


async def streamed(binding: Speaker, hand: Hand, example: Example) -> None:
    streaming = asyncio.create_task(binding.events("SendStreamingMessage", fresh(example)))
    await example.work(hand, await hand.take())
    first, *updates = await streaming
    assert first.task.status.state == TaskState.TASK_STATE_SUBMITTED
    assert all(event.WhichOneof("payload") in ("status_update", "artifact_update") for event in updates)
    task = await binding.answer("GetTask", {"id": first.task.id})
    assert updates[-1].status_update.status.state == task.status.state
    if example.sees is not has_no_history:
        example.sees(SendMessageResponse(task=task))
