"""What an agent does with a task in an example, by its name."""

from collections.abc import Awaitable, Callable
from typing import Any

from apps.tasks.services import Claim
from apps.tasks.states import State
from tests.api.a2a.client import Hand

Json = dict[str, Any]
Work = Callable[[Hand, Claim], Awaitable[Any]]


def completes(text: str) -> Work:
    return lambda hand, claim: hand.finish(claim, text)


def answers_directly(text: str) -> Work:
    return lambda hand, claim: hand.finish(claim, text, direct=True)


def asks(question: str) -> Work:
    return lambda hand, claim: hand.ask(claim, question)


def fails(why: str) -> Work:
    return lambda hand, claim: hand.finish(claim, "", State.FAILED, error=why)


def makes(*parts: Json, name: str = "made") -> Work:
    """One artifact of these parts, then the end."""

    async def work(hand: Hand, claim: Claim) -> None:
        made = {"artifact_id": name, "name": name, "parts": list(parts)}
        await hand.say(claim, ("artifact", made))
        await hand.finish(claim, "")

    return work


def writes(*chunks: str) -> Work:
    """A text, piece by piece."""

    async def work(hand: Hand, claim: Claim) -> None:
        for chunk in chunks:
            await hand.say(claim, ("output", {"content": chunk}))
        await hand.finish(claim, "".join(chunks))

    return work
