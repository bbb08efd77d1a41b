"""A small agent program that does what the prompt says, for tests of the worker around it.

Speaks the Agent Client Protocol on its standard streams like `opencode acp` does, and answers `models`. Uses
the standard library only, so that it starts in a few hundredths of a second. Prompts:

    echo TEXT        say TEXT                      wait FILE      say "waiting", go on when FILE exists
    write NAME TEXT  write a file by a tool call   shell NAME     write a file without saying so
    spawn            leave a child in a session of its own, then run on until cancelled
    stubborn         like spawn, but ignore the cancel             silent   say nothing until cancelled
    ask              ask for permission, say the decision          fail TEXT   a JSON-RPC error
    crash TEXT       write TEXT to stderr and die                  many N   N tool calls
    leave NAME TEXT  write a file to be handed over                read     say what is in the files that came along
    count FILE       say 0, 1, 2 and so on, until FILE exists      garble   report a file that cannot be, go on
    hold NAME FILE   write a file by a tool call, then wait for FILE
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

MODEL_ID = os.environ.get("SCRIPTED_MODEL", "scripted/one")
FORKS = os.environ.get("SCRIPTED_FORKS") == "1"
SESSIONS = Path(os.environ.get("HOME", ".")) / "scripted-sessions"


class Agent:
    """One process, any number of sessions, one turn at a time."""

    def __init__(self) -> None:
        self._out = threading.Lock()
        self._cancelled = threading.Event()
        self._answers: dict[str, Any] = {}
        self._answered = threading.Condition()

    def serve(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            if "method" not in message:
                with self._answered:
                    self._answers[message["id"]] = message.get("result")
                    self._answered.notify_all()
            elif message["method"] == "session/prompt":
                threading.Thread(target=self._prompt, args=(message,), daemon=True).start()
            else:
                self._handle(message)

    def _send(self, **message: Any) -> None:
        with self._out:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            sys.stdout.flush()

    def _handle(self, message: dict[str, Any]) -> None:
        params = message.get("params") or {}
        match message["method"]:
            case "initialize":
                capabilities = {"loadSession": True, "sessionCapabilities": {"fork": {}} if FORKS else {}}
                self._send(id=message["id"], result={"protocolVersion": 1, "agentCapabilities": capabilities})
            case "session/new":
                self._open(message["id"])
            case "session/fork" if (SESSIONS / params["sessionId"]).exists():
                self._open(message["id"])
            case "session/load":
                self._load(message["id"], params["sessionId"])
            case "session/cancel":
                self._cancelled.set()
            case _:
                self._send(id=message["id"], result=_options())

    def _open(self, request_id: Any) -> None:
        session_id = f"ses_{uuid.uuid4().hex[:8]}"
        SESSIONS.mkdir(exist_ok=True)
        (SESSIONS / session_id).touch()
        self._send(id=request_id, result={"sessionId": session_id, **_options()})

    def _load(self, request_id: Any, session_id: str) -> None:
        if not (SESSIONS / session_id).exists():
            self._send(id=request_id, error={"code": -32002, "message": "no such session"})
            return
        self._update(session_id, _chunk("an old message"))
        self._send(id=request_id, result=_options())

    def _update(self, session_id: str, update: dict[str, Any]) -> None:
        self._send(method="session/update", params={"sessionId": session_id, "update": update})

    def _prompt(self, message: dict[str, Any]) -> None:
        session_id = message["params"]["sessionId"]
        word, _, rest = message["params"]["prompt"][0]["text"].partition(" ")
        self._cancelled.clear()
        try:
            getattr(self, f"_do_{word}")(session_id, rest)
        except RuntimeError as error:
            self._send(
                id=message["id"], error={"code": -32603, "message": "Internal error", "data": {"message": str(error)}}
            )
            return
        reason = "cancelled" if self._cancelled.is_set() else "end_turn"
        usage = {"totalTokens": 12, "inputTokens": 10, "outputTokens": 2}
        self._send(id=message["id"], result={"stopReason": reason, "usage": usage})

    def _do_echo(self, session_id: str, text: str) -> None:
        for word in text.split(" "):
            self._update(session_id, _chunk(word + " "))

    def _do_wait(self, session_id: str, path: str) -> None:
        self._update(session_id, _chunk("waiting"))
        while not Path(path).exists() and not self._cancelled.wait(0.01):
            pass

    def _do_count(self, session_id: str, path: str) -> None:
        number = 0
        while not Path(path).exists() and not self._cancelled.wait(0.02):
            self._update(session_id, _chunk(f"{number} "))
            number += 1

    def _do_write(self, session_id: str, rest: str) -> None:
        name, _, text = rest.partition(" ")
        Path(name).write_text(text)
        self._tool(session_id, "write", "edit", {"filePath": name}, metadata={"filepath": os.path.abspath(name)})
        self._update(session_id, _chunk(f"wrote {name}"))

    def _do_hold(self, session_id: str, rest: str) -> None:
        name, _, path = rest.partition(" ")
        self._do_write(session_id, f"{name} red")
        self._do_wait(session_id, path)

    def _do_garble(self, session_id: str, _: str) -> None:
        self._tool(session_id, "write", "edit", {"filePath": "a\0b"}, metadata={"filepath": "/a\0b"})
        self._cancelled.wait()

    def _do_shell(self, session_id: str, name: str) -> None:
        Path(name).write_text("from a shell\n")
        self._tool(session_id, "bash", "execute", {"command": f"tee {name}"})

    def _do_leave(self, session_id: str, rest: str) -> None:
        name, _, text = rest.partition(" ")
        target = Path(os.environ["CODETETHER_ARTIFACTS_DIR"]) / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)

    def _do_read(self, session_id: str, rest: str) -> None:
        for line in rest.splitlines():
            if line.startswith("- /"):
                self._update(session_id, _chunk(Path(line[2:].rpartition(" (")[0]).read_text() + ";"))

    def _do_tell(self, session_id: str, name: str) -> None:
        """What the variable holds: in two pieces with a pause between them, to a tool, and as a digest of it."""
        value = os.environ.get(name, "")
        self._update(session_id, _chunk(f"{name}={value[:4]}"))
        time.sleep(0.2)
        self._update(session_id, _chunk(f"{value[4:]} {hashlib.sha256(value.encode()).hexdigest()}"))
        self._tool(session_id, "bash", "execute", {"command": f"curl -u me:{value}"})

    def _do_spawn(self, session_id: str, _: str) -> None:
        self._spawn(session_id)
        self._cancelled.wait()

    def _do_stubborn(self, session_id: str, _: str) -> None:
        self._spawn(session_id)
        while True:
            time.sleep(60)

    def _spawn(self, session_id: str) -> None:
        child = subprocess.Popen(["sleep", "600"], start_new_session=True, stdin=subprocess.DEVNULL)
        self._update(session_id, _chunk(f"child {child.pid}"))

    def _do_silent(self, session_id: str, _: str) -> None:
        self._cancelled.wait()

    def _do_ask(self, session_id: str, _: str) -> None:
        kinds = ("allow_once", "allow_always", "reject_once")
        options = [{"optionId": f"o-{kind}", "name": kind.replace("_", " "), "kind": kind} for kind in kinds]
        call = {"toolCallId": "call-1", "title": "rm -rf build", "kind": "execute", "status": "pending"}
        params = {"sessionId": session_id, "toolCall": call, "options": options}
        answer = self._ask_client("session/request_permission", params)
        self._update(session_id, _chunk(json.dumps(answer["outcome"])))

    def _ask_client(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """What the worker answers; waits for ever."""
        request_id = uuid.uuid4().hex
        self._send(id=request_id, method=method, params=params)
        with self._answered:
            self._answered.wait_for(lambda: request_id in self._answers)
        answer: dict[str, Any] = self._answers[request_id]
        return answer

    def _do_fail(self, session_id: str, text: str) -> None:
        raise RuntimeError(text)

    def _do_crash(self, session_id: str, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
        os._exit(3)

    def _do_many(self, session_id: str, count: str) -> None:
        for number in range(int(count)):
            self._tool(session_id, "count", "other", {"number": number})

    def _tool(
        self, session_id: str, tool: str, kind: str, args: dict[str, Any], metadata: dict[str, Any] | None = None
    ) -> None:
        call = {"toolCallId": f"call_{uuid.uuid4().hex[:8]}", "kind": kind}
        begun = {**call, "sessionUpdate": "tool_call", "title": tool, "status": "in_progress", "rawInput": args}
        output = {"output": "done", "metadata": metadata or {}}
        ended = {**call, "sessionUpdate": "tool_call_update", "status": "completed", "rawOutput": output}
        self._update(session_id, begun)
        self._update(session_id, ended)


def _chunk(text: str) -> dict[str, Any]:
    content = {"type": "text", "text": text}
    return {"sessionUpdate": "agent_message_chunk", "messageId": "m1", "content": content}


def _options() -> dict[str, Any]:
    model = {"id": "model", "name": "Model", "category": "model", "type": "select", "currentValue": MODEL_ID}
    choices = [{"value": MODEL_ID, "name": "One"}, {"value": "scripted/two", "name": "Two"}]
    return {"configOptions": [{**model, "options": choices}]}


if __name__ == "__main__":
    if sys.argv[1:] == ["models"]:
        sys.stdout.write(f"{MODEL_ID}\nscripted/two\nopencode/hosted-free\n")
    elif sys.argv[1:] == ["--version"]:
        sys.stdout.write("9.8.7\n")
    else:
        Agent().serve()
