"""An agent program that misbehaves as its prompt says, for tests of what the worker makes of it.

Everything that the scripted agent can do, and besides:

    flood            text without end                       retry      say that it tries again, without end
    line N           one line of N megabytes                spend      cost more and more, without end
    deaf             a tool that ignores SIGTERM            fork       a grandchild in a session of its own
    nested           a sub-agent asks for permission        edit NAME  ask for leave to write a file, then write it
    limit TEXT       an error until the session is resumed by another model
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.acp_agent import Agent, _chunk  # noqa: E402 (an isolated Python finds it only now)

KINDS = ("allow_once", "reject_once")


class BadAgent(Agent):
    """The scripted agent with bad habits."""

    def _handle(self, message: dict[str, Any]) -> None:
        if message["method"] == "session/set_config_option" and message["params"]["value"] == "scripted/two":
            os.environ["OTHER_MODEL"] = "1"
        super()._handle(message)

    def _do_flood(self, session_id: str, _: str) -> None:
        while not self._cancelled.is_set():
            self._update(session_id, _chunk("and on and on " * 500))

    def _do_line(self, session_id: str, megabytes: str) -> None:
        part = b"x" * 1_000_000
        with self._out:
            os.write(1, b'{"jsonrpc": "2.0", "method": "session/update", "params": {"text": "')
            for _ in range(int(megabytes)):
                sys.stdout.buffer.write(part)
            sys.stdout.buffer.write(b'"}}\n')
            sys.stdout.buffer.flush()

    def _do_retry(self, session_id: str, _: str) -> None:
        while not self._cancelled.wait(0.05):
            self._update(session_id, {"sessionUpdate": "usage_update", "used": 1, "size": 10})
            self._send(method="_provider/retry", params={"sessionId": session_id})

    def _do_spend(self, session_id: str, _: str) -> None:
        cost = 0.0
        while not self._cancelled.wait(0.05):
            cost += 0.25
            said = {"sessionUpdate": "usage_update", "used": 1, "size": 10, "cost": {"amount": cost, "currency": "USD"}}
            self._update(session_id, said)
            self._update(session_id, _chunk("."))

    def _do_deaf(self, session_id: str, _: str) -> None:
        self._start(session_id, "trap '' TERM; while :; do sleep 600; done")

    def _do_fork(self, session_id: str, _: str) -> None:
        self._start(session_id, "(setsid sleep 600 >/dev/null 2>&1 &) ; exit 0")
        self._cancelled.wait()

    def _start(self, session_id: str, script: str) -> None:
        with subprocess.Popen(["sh", "-c", script], stdin=subprocess.DEVNULL, start_new_session=True):
            self._update(session_id, _chunk("started"))

    def _do_nested(self, session_id: str, _: str) -> None:
        self._request(f"{session_id}-of-a-sub-agent", {"title": "rm -rf build", "kind": "execute"}, session_id)

    def _do_edit(self, session_id: str, name: str) -> None:
        content = [{"type": "diff", "path": os.path.abspath(name), "oldText": "", "newText": "new\n"}]
        if self._request(session_id, {"title": name, "kind": "edit", "content": content}, session_id) == "o-allow_once":
            Path(name).write_text("new\n")

    def _request(self, asking: str, call: dict[str, Any], session_id: str) -> str:
        options = [{"optionId": f"o-{kind}", "name": kind.replace("_", " "), "kind": kind} for kind in KINDS]
        answer = self._ask_client(
            "session/request_permission",
            {
                "sessionId": asking,
                "toolCall": {"toolCallId": "call-1", "status": "pending", **call},
                "options": options,
            },
        )
        chosen = str(answer["outcome"].get("optionId"))
        self._update(session_id, _chunk(chosen))
        return chosen

    def _do_limit(self, session_id: str, text: str) -> None:
        if "OTHER_MODEL" not in os.environ:
            raise RuntimeError(text)
        self._update(session_id, _chunk("the other model did it"))

    def _do_The(self, session_id: str, text: str) -> None:
        """What a session is told when another model goes on."""
        self._do_limit(session_id, text)

    def _do_You(self, session_id: str, text: str) -> None:
        """What a session is told when a person has answered: the same is asked again."""
        self._request(session_id, {"title": "rm -rf build", "kind": "execute"}, session_id)


if __name__ == "__main__":
    if sys.argv[1:] == ["models"]:
        sys.stdout.write("scripted/one\nscripted/two\n")
    else:
        BadAgent().serve()
