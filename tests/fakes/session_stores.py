"""What agent programs leave on a disk, in small: each function writes one session as its program would."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

MADE = 1_795_000_000_000
"""When everything here began, in milliseconds since 1970; each thing comes a second after the one before."""
AT = [f"2026-11-18T12:26:{40 + n:02}.000Z" for n in range(19)]

OPENCODE_TABLES = """
CREATE TABLE session (id text PRIMARY KEY, project_id text, parent_id text, directory text NOT NULL,
    title text NOT NULL, cost real DEFAULT 0, tokens_input integer DEFAULT 0, tokens_output integer DEFAULT 0,
    tokens_cache_read integer DEFAULT 0, agent text, model text, time_created integer, time_updated integer);
CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer, time_updated integer, data text);
CREATE TABLE part (id text PRIMARY KEY, message_id text, session_id text, time_created integer, time_updated integer,
    data text);
CREATE INDEX part_message ON part (message_id, id);
"""
OPENCODE_MODEL = {"providerID": "acme", "modelID": "m-1"}


def opencode_talk(asked: str, answered: str) -> list[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """A question and its answer with a tool: (id, message, parts), as both of OpenCode's stores hold them."""
    tool = {"status": "completed", "input": {"filePath": "till.py"}, "output": "1 line", "title": "till.py"}
    question: dict[str, Any] = {
        "role": "user", "agent": "build", "model": OPENCODE_MODEL, "time": {"created": MADE},
        "summary": {"diffs": []},
    }  # fmt: skip
    answer: dict[str, Any] = {
        "role": "assistant", "agent": "build", "finish": "stop", "cost": 0.25, "time": {"created": MADE + 1000},
        "tokens": {"input": 100, "output": 20, "reasoning": 1, "cache": {"read": 7, "write": 0}}, **OPENCODE_MODEL,
    }  # fmt: skip
    parts = [
        {"type": "step-start"},
        {"type": "reasoning", "text": "Hm."},
        {"type": "tool", "tool": "read", "callID": "call_1", "state": tool},
        {"type": "text", "text": answered},
    ]
    return [("msg_1", question, [{"type": "text", "text": asked}]), ("msg_2", answer, parts)]


def opencode_database(path: Path, folder: Path | str, *, session_id: str = "ses_1", wal: bool = True) -> Path:
    """OpenCode's database with one session about the till in `folder`; one that is there gets the session added."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with closing(sqlite3.connect(path)) as connection, connection:
        if is_new:
            connection.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
            connection.executescript(OPENCODE_TABLES)
        row = (
            session_id,
            str(folder),
            "Mend the till",
            0.25,
            100,
            20,
            7,
            json.dumps(OPENCODE_MODEL),
            MADE,
            MADE + 3000,
        )
        connection.execute(
            "INSERT INTO session (id, directory, title, cost, tokens_input, tokens_output, tokens_cache_read, agent,"
            " model, time_created, time_updated) VALUES (?, ?, ?, ?, ?, ?, ?, 'build', ?, ?, ?)", row
        )  # fmt: skip
        for message_id, message, parts in opencode_talk("Why is the till open?", "It has no lock."):
            add_message(connection, session_id, f"{session_id}_{message_id}", message, parts)
    return path


def add_message(
    connection: sqlite3.Connection, session_id: str, message_id: str, message: dict[str, Any],
    parts: Iterable[dict[str, Any]],
) -> None:  # fmt: skip
    made = message["time"]["created"]
    row = (message_id, session_id, made, made, json.dumps(message))
    connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", row)
    rows = [(f"{message_id}_prt_{n}", message_id, session_id, made, made, json.dumps(p)) for n, p in enumerate(parts)]
    connection.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", rows)


def opencode_tree(storage: Path, folder: Path | str, *, session_id: str = "ses_1") -> Path:
    """The same session in OpenCode's older store."""
    head = {
        "id": session_id, "projectID": "p1", "directory": str(folder), "title": "Mend the till",
        "time": {"created": MADE, "updated": MADE + 3000},
    }  # fmt: skip
    write_json(storage / "session" / "p1" / f"{session_id}.json", head)
    for name, message, parts in opencode_talk("Why is the till open?", "It has no lock."):
        message_id = f"{session_id}_{name}"
        told = {**message, "id": message_id, "sessionID": session_id}
        write_json(storage / "message" / session_id / f"{message_id}.json", told)
        for number, part in enumerate(parts):
            part_id = f"{message_id}_prt_{number}"
            whole = {**part, "id": part_id, "sessionID": session_id, "messageID": message_id}
            write_json(storage / "part" / message_id / f"{part_id}.json", whole)
    return storage


def claude_file(projects: Path, folder: Path | str, *, session_id: str = "c1") -> Path:
    """A session of Claude Code: a question, an answer in two lines with a tool, the tool's word, and the end."""
    usage = {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 7}

    def line(number: int, kind: str, content: object, **more: object) -> dict[str, Any]:
        said = {"role": kind, "content": content, **more}
        return {
            "type": kind, "uuid": f"{session_id}-{number}", "timestamp": AT[number], "sessionId": session_id,
            "cwd": str(folder), "message": said,
        }  # fmt: skip

    answer = {"id": "msg_a", "model": "claude-x", "usage": usage}
    call = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "till.py"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "1 line"}]}
    return write_lines(
        projects / str(folder).replace("/", "-") / f"{session_id}.jsonl",
        {"type": "queue-operation", "operation": "enqueue", "sessionId": session_id},
        {**line(0, "user", "<caveat>"), "isMeta": True},
        line(0, "user", "Why is the till open?"),
        {"type": "attachment", "uuid": "x", "attachment": {"type": "date"}},
        line(1, "assistant", [{"type": "thinking", "thinking": "Hm."}], **answer),
        line(2, "assistant", [call], **answer),
        line(3, "user", [result]),
        line(4, "assistant", [{"type": "text", "text": "It has no lock."}], **{**answer, "id": "msg_b"}),
        {"type": "summary", "summary": "Mend the till", "leafUuid": f"{session_id}-4"},
    )


def codex_file(sessions: Path, folder: Path | str, *, session_id: str = "x1") -> Path:
    """A session of Codex."""

    def line(number: int, kind: str, **payload: object) -> dict[str, Any]:
        return {"timestamp": AT[number], "type": kind, "payload": payload}

    def said(role: str, text: str) -> dict[str, Any]:
        return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}

    total = {"input_tokens": 100, "cached_input_tokens": 7, "output_tokens": 20}
    return write_lines(
        sessions / "2026" / "11" / "18" / f"rollout-2026-11-18T12-26-40-{session_id}.jsonl",
        line(0, "session_meta", id=session_id, cwd=str(folder), cli_version="0.169.0"),
        line(0, "response_item", **said("developer", "You are a coding agent.")),
        line(0, "response_item", **said("user", "<environment_context>\n<cwd>/shop</cwd>")),
        line(0, "turn_context", cwd=str(folder), model="gpt-x"),
        line(0, "response_item", **said("user", "Why is the till open?")),
        line(1, "response_item", type="reasoning", summary=[{"type": "summary_text", "text": "Hm."}]),
        line(
            2, "response_item", type="function_call", name="shell", arguments='{"command": ["cat"]}', call_id="call_1"
        ),
        line(3, "response_item", type="function_call_output", call_id="call_1", output="1 line"),
        line(4, "response_item", **said("assistant", "It has no lock.")),
        line(4, "event_msg", type="token_count", info={"total_token_usage": total}),
    )


def gemini_file(home: Path, folder: Path | str, *, session_id: str = "g1") -> Path:
    """A session of Gemini CLI in its folder `.gemini`; the answer is written twice, the second time with its call."""
    write_json(home / "projects.json", {"projects": {str(folder): "shop"}})
    answer = {
        "id": "a", "timestamp": AT[1], "type": "gemini", "content": "It has no lock.", "model": "gemini-x",
        "thoughts": [{"subject": "Till", "description": "Hm."}], "tokens": {"input": 100, "output": 20, "cached": 7},
    }  # fmt: skip
    call = {
        "id": "call_1", "name": "read_file", "args": {"file_path": "till.py"}, "status": "success",
        "resultDisplay": {"fileDiff": "+lock"},
    }  # fmt: skip
    given = {"functionResponse": {"id": "call_1", "name": "read_file", "response": {"output": "1 line"}}}
    context = {"id": "c", "timestamp": AT[0], "type": "user", "content": [{"text": "<session_context>\nDay"}]}
    return write_lines(
        home / "tmp" / "shop" / "chats" / "session-2026-11-18T12-26-aaaa.jsonl",
        {"sessionId": session_id, "projectHash": "00", "startTime": AT[0], "lastUpdated": AT[0], "kind": "main"},
        {"$set": {"messages": [context], "lastUpdated": AT[0]}},
        {"id": "u", "timestamp": AT[0], "type": "user", "content": [{"text": "Why is the till open?"}]},
        answer,
        {**answer, "toolCalls": [call]},
        {"id": "t", "timestamp": AT[2], "type": "user", "content": [given]},
        {"$set": {"lastUpdated": AT[3]}},
    )


def write_json(path: Path, body: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, indent=1))
    return path


def write_lines(path: Path, *lines: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def every_store(home: Path, folder: Path | str) -> None:
    """One session of each program below a home folder, OpenCode's in both of its stores."""
    data = home / ".local" / "share" / "opencode"
    opencode_database(data / "opencode.db", folder)
    opencode_tree(data / "storage", folder, session_id="ses_0")
    claude_file(home / ".claude" / "projects", folder)
    codex_file(home / ".codex" / "sessions", folder)
    gemini_file(home / ".gemini", folder)
