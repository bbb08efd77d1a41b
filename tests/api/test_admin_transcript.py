"""A log as a person reads it."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.core.blocks import TEXT_LIMIT, Block
from apps.tasks.admin.transcript import READERS, transcript
from apps.tasks.events import FOLDS, STEERING
from apps.tasks.log import LogEvent
from apps.tasks.reports import WORKER_EVENTS

AT = datetime(2026, 1, 2, tzinfo=UTC)
TASK = uuid.UUID(int=1)


def read(*events: tuple[str, dict[str, Any]]) -> list[Block]:
    return transcript(LogEvent(TASK, seq, seq, kind, data, AT) for seq, (kind, data) in enumerate(events, start=1))


def output(content: str, kind: str = "text") -> tuple[str, dict[str, Any]]:
    return "output", {"type": kind, "content": content}


def use(call_id: str) -> tuple[str, dict[str, Any]]:
    return "tool_use", {"tool": "bash", "args": {"command": "ls"}, "call_id": call_id}


def result(call_id: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "tool_result", {"call_id": call_id, "status": "completed", "output": "till.py", **more}


def test_every_kind_of_event_has_a_reader() -> None:
    known = {*FOLDS, *STEERING, *WORKER_EVENTS} - {"input_required"}  # written to the log as `asked`
    assert known <= READERS.keys()


def test_output_is_joined_by_type() -> None:
    blocks = read(output("a"), output("b"), output("err", "stderr"), output("c"))
    assert [(block.kind, block.text) for block in blocks] == [("text", "ab"), ("stderr", "err"), ("text", "c")]


def test_usage_does_not_tear_text_apart() -> None:
    assert [block.text for block in read(output("a"), ("usage", {"input_tokens": 1}), output("b"))] == ["ab"]


def test_result_joins_its_call_though_others_lie_between() -> None:
    blocks = read(use("c1"), use("c2"), result("c2", output="two"), result("c1", output="one"))
    assert [(block.call_id, block.text) for block in blocks] == [("c1", "one"), ("c2", "two")]


def test_failed_call_is_marked() -> None:
    (block,) = read(use("c1"), result("c1", status="failed"))
    assert block.tone == "danger"


def test_result_without_its_call_stands_alone() -> None:
    (block,) = read(result("c1", tool="bash"))
    assert (block.kind, block.title, block.text) == ("tool", "bash", "till.py")


def test_open_are_the_last_block_and_calls_without_result() -> None:
    blocks = read(use("c1"), output("a"), output("b", "stdout"))
    assert [block.open for block in blocks] == [True, False, True]


def test_diff_lines_have_tones() -> None:
    diff = "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same"
    (block,) = read(("file_change", {"action": "modified", "path": "till.py", "diff": diff}))
    assert [tone for tone, _ in block.lines] == ["note", "note", "note", "removed", "added", "same"]


def test_long_text_is_cut_and_says_so() -> None:
    (block,) = read(output("x" * (TEXT_LIMIT + 7)))
    assert (len(block.shown), block.left_out) == (TEXT_LIMIT, 7)


def test_unknown_kind_is_shown_as_it_is() -> None:
    (block,) = read(("from_the_future", {"a": 1}))
    assert (block.title, '"a": 1' in block.text) == ("from_the_future", True)


@pytest.mark.parametrize("state", ["input_required", "auth_required"])
def test_question_carries_its_options(state: str) -> None:
    options = [{"id": "once", "label": "Allow once"}, "nonsense"]
    (block,) = read(("asked", {"state": state, "question": "May I?", "options": options, "call_id": "c1"}))
    assert (block.kind, block.call_id, block.options) == ("question", "c1", [options[0]])
