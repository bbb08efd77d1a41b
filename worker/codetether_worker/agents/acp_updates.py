"""Turns the updates of an ACP session into the worker's events, in order.

Agent Client Protocol, "Prompt turn" and "Tool calls": https://agentclientprotocol.com/protocol/tool-calls
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from codetether_worker import events, lease
from codetether_worker.agents.base import Assignment
from codetether_worker.backoff import abandon
from codetether_worker.worktree import WorkingTree

Update = Mapping[str, Any]
_FLUSH_AFTER = 0.1  # seconds that streamed text is gathered before it is reported
_PAUSE = 0.05  # seconds without more text
_FLUSH_SIZE = 4000  # characters
_LONGEST_ANSWER = 200_000  # characters; a result is cut there anyway
_MOST_PRINTED = 200_000  # characters kept of what a tool prints while it runs


@dataclass(slots=True)
class _ToolCall:
    """One tool call while it runs. Later updates carry only what changed."""

    call_id: str
    tool: str
    kind: str
    args: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    edited: list[str] = field(default_factory=list)
    printed: str = ""
    announced: bool = False
    ended: bool = False


class UpdateTranslator:
    """Takes updates from the protocol's callbacks and works them off one after the other.

    `answer_text` is the text of the latest message of the turn: what the agent says in the end.
    """

    def __init__(self, assignment: Assignment, tree: WorkingTree) -> None:
        self._emit = assignment.emit
        self._tree = tree
        self._queue: asyncio.Queue[Update] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._calls: dict[str, _ToolCall] = {}
        self._gathered = ""
        self._gathered_at = self._heard_at = 0.0
        self._gathered_kind: Literal["text", "reasoning"] = "text"
        self._message: object = None
        self.answer_text = ""
        self.cost: float | None = None

    def start(self) -> None:
        self._worker = asyncio.create_task(self._work(), name="acp updates")

    def take(self, update: Update) -> None:
        self._queue.put_nowait(update)

    def begin_turn(self) -> None:
        self._message, self.answer_text = None, ""

    @property
    def failure(self) -> BaseException | None:
        """What broke the translation; nothing that was said after it is reported."""
        ended = self._worker is not None and self._worker.done() and not self._worker.cancelled()
        return self._worker.exception() if self._worker is not None and ended else None

    async def unless_broken[T](self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of the work; None as soon as the translation has broken, when the work is given up."""
        task = asyncio.create_task(work)
        awaited: set[asyncio.Future[Any]] = {task, *filter(None, [self._worker])}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            if not task.done():
                await abandon(task)

    async def settle(self) -> None:
        """Wait until everything taken so far has been reported, or the translation has broken."""
        await self.unless_broken(self._queue.join())
        self._flush()

    async def close(self) -> None:
        if self._worker is not None:
            await abandon(self._worker)
        self._flush()

    async def _work(self) -> None:
        while True:
            try:
                update = await asyncio.wait_for(self._queue.get(), self._until_flush())
            except TimeoutError:
                self._flush_what_is_old()
                continue
            try:
                await self._translate(update)
            finally:
                self._queue.task_done()

    def _until_flush(self) -> float | None:
        """Seconds; counted from the oldest text, since an agent that never pauses is to be heard, too."""
        return max(0.0, self._gathered_at + _FLUSH_AFTER - lease.now()) if self._gathered else None

    async def _translate(self, update: Update) -> None:
        match update.get("sessionUpdate"):
            case "agent_message_chunk":
                self._gather("text", update)
            case "agent_thought_chunk":
                self._gather("reasoning", update)
            case "tool_call" | "tool_call_update":
                self._flush()
                await self._tool(update)
            case "plan":
                self._flush()
                self._emit(events.status(_plan_text(update)))
            case "usage_update":
                self._take_cost(update)

    def _gather(self, kind: Literal["text", "reasoning"], update: Update) -> None:
        text = _block_text(update.get("content"))
        if kind != self._gathered_kind:
            self._flush()
            self._gathered_kind = kind
        self._heard_at = lease.now()
        if not self._gathered:
            self._gathered_at = self._heard_at
        self._gathered += text
        if kind == "text":
            self._extend_answer(text, update.get("messageId"))
        if len(self._gathered) >= _FLUSH_SIZE:
            self._flush()

    def _extend_answer(self, text: str, message: object) -> None:
        """A new message, or text after a tool call, begins a new answer."""
        if message != self._message:
            self._message, self.answer_text = message, ""
        if len(self.answer_text) <= _LONGEST_ANSWER:  # of a result no more is reported
            self.answer_text += text

    def _flush_what_is_old(self) -> None:
        """In the middle of a flow of text a word that is not whole waits: a secret in two would not be recognised."""
        whole, part = _split_after_space(self._gathered)
        if not whole or lease.now() - self._heard_at > _PAUSE:
            self._flush()
            return
        self._gathered = whole
        self._flush()
        self._gathered, self._gathered_at = part, lease.now()

    def _flush(self) -> None:
        if self._gathered:
            self._emit(events.output(self._gathered_kind, self._gathered))
            self._gathered = ""

    def _take_cost(self, update: Update) -> None:
        cost = update.get("cost")
        if isinstance(cost, Mapping) and cost.get("currency") == "USD":
            self.cost = float(cost.get("amount") or 0.0)

    async def _tool(self, update: Update) -> None:
        call = self._merge(update)
        status = update.get("status")
        ended = status in ("completed", "failed")
        if not call.announced and (ended or status == "in_progress" or (status is None and call.args)):
            call.announced = True
            self._emit(events.tool_use(tool=call.tool, args=call.args, call_id=call.call_id, title=call.title))
        if ended and not call.ended:
            call.ended = True
            succeeded = status == "completed"
            result = _tool_text(update) or call.printed
            self._emit(events.tool_result(call_id=call.call_id, tool=call.tool, succeeded=succeeded, result=result))
            if succeeded:
                await self._report_files(call, update)

    def _merge(self, update: Update) -> _ToolCall:
        call_id, title = str(update.get("toolCallId") or ""), str(update.get("title") or "")
        call = self._calls.get(call_id)
        if call is None:
            self._message = object()  # what the agent says after this is a new answer
            kind = str(update.get("kind") or "other")
            told = title if title.replace("_", "").replace("-", "").isalnum() else kind
            tool = str(update.get("toolName") or told)
            call = self._calls[call_id] = _ToolCall(call_id, tool, kind)
        call.kind = str(update.get("kind") or call.kind)
        call.title = title or call.title
        if isinstance(update.get("rawInput"), Mapping):
            call.args.update(update["rawInput"])
        call.edited += _diffed_paths(update)
        call.printed = (call.printed + str(update.get("toolOutput") or ""))[:_MOST_PRINTED]
        return call

    async def _report_files(self, call: _ToolCall, update: Update) -> None:
        for path, given_diff, existed in _edited_files(call, update):
            event = await self._tree.changed(path, given_diff=given_diff, existed=existed)
            if event is not None:
                self._emit(event)


def _edited_files(call: _ToolCall, update: Update) -> list[tuple[Path, str | None, bool | None]]:
    """Paths that a finished call says it has written, with its own diff and whether the file existed."""
    raw = update.get("rawOutput")
    facts = raw.get("metadata") if isinstance(raw, Mapping) else None
    facts = facts if isinstance(facts, Mapping) else {}
    diff = facts.get("diff") if isinstance(facts.get("diff"), str) else None
    existed = facts.get("exists") if isinstance(facts.get("exists"), bool) else None
    paths: list[object] = [*call.edited]
    if call.kind in ("edit", "delete", "move"):
        paths += [call.args.get("filePath"), facts.get("filepath")]
    unique = dict.fromkeys(path for path in paths if isinstance(path, str) and path)
    return [(Path(path), diff, existed) for path in unique]


def _split_after_space(text: str) -> tuple[str, str]:
    """The whole words, and the beginning of what may be one."""
    length = len(text) - len(text.split()[-1]) if text.strip() and not text[-1].isspace() else len(text)
    return text[:length], text[length:]


def _diffed_paths(update: Update) -> list[str]:
    """Files whose diff an update shows; the last update of a call need not repeat it."""
    blocks = [b for b in update.get("content") or () if isinstance(b, Mapping) and b.get("type") == "diff"]
    return [block["path"] for block in blocks if isinstance(block.get("path"), str)]


def _block_text(block: object) -> str:
    return str(block.get("text") or "") if isinstance(block, Mapping) and block.get("type") == "text" else ""


def _tool_text(update: Update) -> str:
    """What the tool gave back, as text: the content blocks, else the raw output."""
    blocks = [block for block in update.get("content") or () if isinstance(block, Mapping)]
    texts = [_block_text(block.get("content")) for block in blocks if block.get("type") == "content"]
    if any(texts):
        return "\n".join(texts)
    raw = update.get("rawOutput")
    if isinstance(raw, Mapping):
        return str(raw.get("output") or raw.get("error") or "")
    return str(raw or "")


def _plan_text(update: Update) -> str:
    entries = [entry for entry in update.get("entries") or () if isinstance(entry, Mapping)]
    return "Plan:\n" + "\n".join(f"- [{entry.get('status')}] {entry.get('content')}" for entry in entries)
