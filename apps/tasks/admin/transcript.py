"""A task's log as a person reads it: output joined, each tool call with its result, changes as diffs.

Pure: events in, blocks out. `seq` and `last` of a block are those of events.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apps.core.blocks import Block, diff_lines
from apps.tasks.log import LogEvent
from apps.tasks.reports import PART_CONTENTS

DIFF = "text/x-diff"

Data = Mapping[str, Any]


def transcript(events: Iterable[LogEvent]) -> list[Block]:
    """The blocks of a log, or of a piece of one."""
    blocks: list[Block] = []
    for event in events:
        read = READERS.get(event.kind, _unknown)
        block = read(event, event.data, blocks)
        if block is not None:
            blocks.append(block)
    if blocks:
        blocks[-1].open = True
    return blocks


Reader = Callable[[LogEvent, Data, list[Block]], Block | None]


def _step(event: LogEvent, title: str, *, text: str = "", tone: str = "", by: str = "") -> Block:
    return Block("step", event.seq, event.created_at, title, text, by, tone)


def _created(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return Block("prompt", event.seq, event.created_at, "Asked", data.get("prompt", ""), data.get("created_by", ""))


def _claimed(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return _step(event, f"Taken by {data['worker_id']} (attempt {data['attempt']})")


def _requeued(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    delay = data.get("delay_seconds") or 0
    later = f", not before {delay:.0f} s from then" if delay >= 1 else ""
    return _step(event, f"Back in the queue: {data['reason']}{later}", text=data.get("error", ""), tone="warning")


def _asked(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    options = [option for option in data.get("options") or [] if isinstance(option, dict)]
    title = "Needs credentials" if data.get("state") == "auth_required" else "Asks"
    return Block("question", event.seq, event.created_at, title, data["question"], options=options, tone="warning",
                 call_id=data.get("call_id", ""), lines=diff_lines(data.get("diff", "")))  # fmt: skip


def _answered(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return Block("message", event.seq, event.created_at, "Answered", data["message"], data["by"])


def _messaged(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    title = "Interrupted" if data.get("interrupt") else "Said"
    return Block("message", event.seq, event.created_at, title, data["message"], data["by"])


def _artifact(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    name = data.get("name") or data["artifact_id"]
    diff = next((part["text"] for part in data["parts"] if part.get("media_type") == DIFF and "text" in part), "")
    if diff:
        return Block("file", event.seq, event.created_at, name, by="artifact", lines=diff_lines(diff))
    said = "\n\n".join(str(next(part[kind] for kind in PART_CONTENTS if kind in part)) for part in data["parts"])
    return _step(event, f"Made {name}", text=said)


def _completed(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return _step(event, "Completed", tone="success")


def _failed(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    code = f" ({data['code']})" if data.get("code") else ""
    return _step(event, f"Failed{code}", text=data.get("error", ""), tone="danger")


def _cancelled(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return _step(event, f"Cancelled by {data['by']}", text=data.get("reason", ""), tone="warning")


def _rejected(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return _step(event, "Rejected by its worker", text=data.get("reason", ""), tone="danger")


def _reprioritised(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return _step(event, f"Priority set to {data['priority']} by {data['by']}")


def _declined(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return _step(event, f"{data['worker_id']} cannot do it", text=data.get("reason", ""), tone="warning")


def _lease_lost(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return _step(event, f"{data['worker_id']} vanished; the question stands", tone="warning")


def _status(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    return _step(event, data["message"])


def _session(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    agent = f" of {data['agent']}" if data.get("agent") else ""
    return _step(event, f"Session {data['session_id']}{agent}")


def _usage(event: LogEvent, data: Data, blocks: list[Block]) -> None:
    """The totals stand in the task's head; in the log they would only tear the text apart."""


def _output(event: LogEvent, data: Data, blocks: list[Block]) -> Block | None:
    kind = data.get("type") or "text"
    if blocks and blocks[-1].kind == kind:
        blocks[-1].text += data["content"]
        blocks[-1].last = event.seq
        return None
    return Block(kind, event.seq, event.created_at, text=data["content"])


def _tool_use(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    args = data.get("args") or {}
    shown = json.dumps(args, indent=2, ensure_ascii=False, sort_keys=True) if args else ""
    title = data.get("title") or data["tool"]
    return Block("tool", event.seq, event.created_at, title, folded=shown, by=data["tool"], open=True,
                 call_id=data.get("call_id", ""))  # fmt: skip


def _tool_result(event: LogEvent, data: Data, blocks: list[Block]) -> Block | None:
    call = _open_call(data.get("call_id", ""), blocks)
    tone = "danger" if data.get("status") == "failed" else "success"
    if call is None:
        tool = data.get("tool") or "tool"
        return Block("tool", event.seq, event.created_at, tool, data.get("output", ""), tool, tone)
    call.text, call.tone, call.open, call.last = data.get("output", ""), tone, False, event.seq
    return None


def _open_call(call_id: str, blocks: list[Block]) -> Block | None:
    calls = (block for block in reversed(blocks) if block.kind == "tool" and block.open)
    return next((call for call in calls if call.call_id == call_id), None)


def _file_change(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    lines = diff_lines(data.get("diff", ""))
    return Block("file", event.seq, event.created_at, data["path"], by=data["action"], lines=lines)


def _compacted(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    what = ", ".join(f"{number} {kind}" for kind, number in sorted(data["kinds"].items()))
    return _step(event, f"{data['events']} old events were removed", text=what)


def _unknown(event: LogEvent, data: Data, blocks: list[Block]) -> Block:
    """A kind of a newer version: shown as it is rather than hidden."""
    return _step(event, event.kind, text=json.dumps(dict(data), indent=2, ensure_ascii=False))


READERS: dict[str, Reader] = {
    "created": _created,
    "claimed": _claimed,
    "requeued": _requeued,
    "asked": _asked,
    "answered": _answered,
    "message": _messaged,
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
    "rejected": _rejected,
    "reprioritised": _reprioritised,
    "declined": _declined,
    "lease_lost": _lease_lost,
    "status": _status,
    "session": _session,
    "usage": _usage,
    "output": _output,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "artifact": _artifact,
    "file_change": _file_change,
    "compacted": _compacted,
}
