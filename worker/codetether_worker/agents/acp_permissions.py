"""Answers what an agent asks permission for: at once by the codebase's rule, or by asking a person.

Agent Client Protocol, "Requesting permission". Options are chosen by their kind; ids differ between agents.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    RequestPermissionResponse,
    ToolCallUpdate,
)

from codetether_worker import events
from codetether_worker.agents.base import Answer, Assignment

# Leaving its plan mode is a `switch_mode`, of which a program must ask like of a write.
_READING_KINDS = frozenset({"read", "search", "think", "fetch"})
_YES = re.compile(r"(?:y|yes|ok|okay|sure|allow(?:ed)?|approved?|go ahead|accept)(?:\b.*)?", re.I | re.S)
_ALWAYS = re.compile(r"always|allow always|always allow", re.I)
_NO = re.compile(r"(?:n|no|deny|denied|reject(?:ed)?|refuse|stop)[.!]?", re.I)


@dataclass(frozen=True, slots=True)
class _Question:
    call_id: str
    options: Sequence[PermissionOption]
    answer: asyncio.Future[str | None]


class PermissionDesk:
    """Open questions of one session, oldest first. None as an answer means that the turn was cancelled."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._open: list[_Question] = []

    @property
    def awaits_person(self) -> bool:
        return bool(self._open)

    async def decide(self, tool_call: ToolCallUpdate, options: Sequence[PermissionOption]) -> RequestPermissionResponse:
        """Ask nobody for what is allowed anyway, nor for what a plan may not do whoever allows it."""
        if self._assignment.reads_only and tool_call.kind not in _READING_KINDS:
            what = tool_call.title or tool_call.tool_call_id
            self._assignment.emit(events.status(f"Refused, since {self._assignment.agent_type} only reads: {what}"))
            return _respond(_of_kind(options, "reject_once", "reject_always"))
        if self._assignment.auto_approves:
            return _respond(_of_kind(options, "allow_once", "allow_always"))
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        question = _Question(tool_call.tool_call_id, options, answer)
        self._open.append(question)
        shown = [{"id": o.option_id, "label": o.name, "kind": str(o.kind)} for o in options]
        what = tool_call.title or tool_call.tool_call_id
        text = f"May the agent do this? {tool_call.kind or 'tool'}: {what}"
        self._assignment.emit(events.input_required(question=text, options=shown, call_id=tool_call.tool_call_id))
        try:
            return _respond(await answer)
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
