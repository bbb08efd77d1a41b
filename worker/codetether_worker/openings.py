"""The first thing to say to an agent's session: the task, or how to go on with it."""

from __future__ import annotations

from codetether_worker.answers import PriorAnswer
from codetether_worker.protocol import Claim

GO_ON = "The model that was used before has reached a limit of its provider. Go on with the task where it stopped."


def opening(claim: Claim, *, resumed: bool, told: bool, answer: PriorAnswer | None) -> str:
    """`resumed`: the session knows what was said before; `told`: this attempt has spoken to a session already.

    `answer` is what a person has said to a question of an earlier attempt.
    """
    if resumed and told:
        return GO_ON
    if answer is None:
        return first_prompt(claim)
    told_now = f'You asked: "{answer.question}"\n{answer.by or "A person"} answered: {answer.said}'
    if resumed:
        return f"{told_now}\nGo on with the task accordingly."
    return f"{first_prompt(claim)}\n\n{told_now}"


def first_prompt(claim: Claim) -> str:
    """The task's prompt, with the files it points at named in the text."""
    prompt = claim.prompt or claim.title
    if not claim.files:
        return prompt
    return prompt + "\n\nFiles to look at first:\n" + "\n".join(f"- {name}" for name in claim.files)
