"""Answers what an agent asks permission for: at once by the codebase's rules, or by asking a person.

Agent Client Protocol, "Requesting permission". Options are chosen by their kind; ids differ between agents.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    RequestPermissionResponse,
)

from codetether_worker import events
from codetether_worker.agents.base import Answer, Assignment
from codetether_worker.agents.edit_diffs import asked_diff
from codetether_worker.agents.permission_rules import Policy, Wish

# Leaving its plan mode is a `switch_mode`, of which a program must ask like of a write.
_READING_KINDS = frozenset({"read", "search", "think", "fetch"})
_YES = re.compile(r"(?:y|yes|ok|okay|sure|allow(?:ed)?|approved?|go ahead|accept)(?:\b.*)?", re.I | re.S)
_ALWAYS = re.compile(r"always|allow always|always allow", re.I)
_NO = re.compile(r"(?:n|no|deny|denied|reject(?:ed)?|refuse|stop)[.!]?", re.I)


Verdict = Literal["allow", "refuse", "ask"]
_CALLS_KEPT = 200


@dataclass(frozen=True, slots=True)
class _Question:
    call_id: str
    options: Sequence[PermissionOption]
    answer: asyncio.Future[str | None]


class PermissionDesk:
    """Open questions of one session, oldest first. None as an answer means that the turn was cancelled."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._policy = Policy.of(assignment.allowed, assignment.denied, assignment.workdir)
        self._answered_before = assignment.answer
        self._open: list[_Question] = []
        self._calls: dict[str, dict[str, Any]] = {}
        self.refused: list[str] = []

    @property
    def awaits_person(self) -> bool:
        return bool(self._open)

    def hear(self, update: Mapping[str, Any]) -> None:
        """Remember what an update tells of a tool call: a request for permission may leave it out."""
        if update.get("sessionUpdate") in ("tool_call", "tool_call_update"):
            call = self._calls.setdefault(str(update.get("toolCallId")), {})
            call.update({name: value for name, value in update.items() if value})
            while len(self._calls) > _CALLS_KEPT:
                del self._calls[next(iter(self._calls))]

    async def decide(self, asked: Mapping[str, Any], options: Sequence[PermissionOption]) -> RequestPermissionResponse:
        """`asked` is the tool call of a request. Ask nobody for what is allowed anyway, nor for what a plan or a rule
        forbids whoever allows it."""
        call_id = str(asked.get("toolCallId") or "")
        call = {**self._calls.get(call_id, {}), **{name: value for name, value in asked.items() if value}}
        wish = Wish.of(call, self._assignment.workdir)
        verdict = self._verdict(wish)
        if verdict == "refuse":
            return _respond(_of_kind(options, "reject_once", "reject_always"))
        if verdict == "allow":
            return _respond(_of_kind(options, "allow_once", "allow_always"))
        what = wish.title or call_id
        question = f"May the agent do this? {call.get('kind') or 'tool'}: {what}"
        said_before = self._said_before(question, options)
        if said_before is not None:
            return _respond(said_before)
        return await self._ask(_Question(call_id, options, asyncio.get_running_loop().create_future()), question, call)

    def _verdict(self, wish: Wish) -> Verdict:
        if self._assignment.reads_only and wish.kind not in _READING_KINDS:
            text = f"Refused, since {self._assignment.agent_type} only reads: {wish.title or wish.named}"
            self._assignment.emit(events.status(text))
            return "refuse"
        rule = self._policy.denying(wish)
        if rule is not None:
            self._assignment.emit(events.status(f"Refused by the codebase's rule {rule.text}: {wish.named}"))
            self.refused.append(f"{wish.named} (rule {rule.text})")
            return "refuse"
        return "allow" if self._assignment.auto_approves or self._policy.allowing(wish) else "ask"

    def _said_before(self, question: str, options: Sequence[PermissionOption]) -> str | None:
        """The option by a person's answer to this very question of an earlier attempt; it counts once."""
        before = self._answered_before
        if before is None or before.question != question:
            return None
        self._answered_before = None
        chosen = _chosen(options, before.text, before.data)
        self._assignment.emit(events.status(f"{before.by or 'A person'} has answered this before: {before.said}"))
        return chosen or _of_kind(options, "reject_once", "reject_always")

    async def _ask(self, question: _Question, text: str, call: Mapping[str, Any]) -> RequestPermissionResponse:
        self._open.append(question)
        shown = [{"id": o.option_id, "label": o.name, "kind": str(o.kind)} for o in question.options]
        self._assignment.emit(
            events.input_required(question=text, options=shown, call_id=question.call_id, diff=asked_diff(call))
        )
        try:
            return _respond(await question.answer)
        finally:
            self._open.remove(question)

    def answer(self, text: str, data: Mapping[str, Any]) -> Answer:
        """Settle the question that `data` names by call_id, else the oldest one.

        Anything that is neither an option nor a plain yes or no counts as a refusal with an explanation.
        """
        waiting = [question for question in self._open if not question.answer.done()]
        named = [question for question in waiting if question.call_id == data.get("call_id")]
        if not waiting:
            return Answer.UNASKED
        question = (named or waiting)[0]
        chosen = _chosen(question.options, text, data)
        question.answer.set_result(chosen or _of_kind(question.options, "reject_once", "reject_always"))
        return Answer.SETTLED if chosen else Answer.REFUSED_WITH_TEXT

    def cancel(self) -> None:
        """The turn is being cancelled; the protocol wants every open request answered with that."""
        for question in self._open:
            if not question.answer.done():
                question.answer.set_result(None)


def _chosen(options: Sequence[PermissionOption], text: str, data: Mapping[str, Any]) -> str | None:
    wanted = data.get("option_id") or data.get("option") or text.strip()
    for option in options:
        if wanted in (option.option_id, str(option.kind)) or str(wanted).lower() == option.name.lower():
            return option.option_id
    said = str(wanted)
    if _ALWAYS.fullmatch(said):
        return _of_kind(options, "allow_always", "allow_once")
    if _YES.fullmatch(said):
        return _of_kind(options, "allow_once", "allow_always")
    return _of_kind(options, "reject_once", "reject_always") if _NO.fullmatch(said) else None


def _of_kind(options: Sequence[PermissionOption], *kinds: str) -> str | None:
    """The id of the first option of the first of these kinds that is offered."""
    return next((o.option_id for kind in kinds for o in options if str(o.kind) == kind), None)


def _respond(option_id: str | None) -> RequestPermissionResponse:
    if option_id is None:
        return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
    return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=option_id))
