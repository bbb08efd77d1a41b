"""One vocabulary for tests over every official client: what to say to it, and what it saw, in 1.0's words.

A client of 1.0 has 1.0's types whichever version it puts on the wire; a client of 0.3 has 0.3's.
"""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.contract.clients.drivers import Driver, Pending

Json = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """A client, the version that it puts on the wire, and the binding."""

    client: str
    version: str
    binding: str

    @property
    def is_new(self) -> bool:
        """Whether the client's own types are 1.0's."""
        return not self.client.partition("-")[2].startswith("0.3")

    @property
    def tells_appending(self) -> bool:
        """Both JavaScript clients lose `append` where they read 0.3 by its protobuf form."""
        return not (self.client.startswith("js") and self.version == "0.3" and self.binding != "JSONRPC")

    def __str__(self) -> str:
        return f"{self.client} {self.version} {self.binding}"


SPOKEN = (
    ("python-1.3.0", "1.0"),
    ("python-1.3.0", "0.3"),
    ("python-0.3.26", "0.3"),
    ("js-1.3.0", "1.0"),
    ("js-1.3.0", "0.3"),
    ("js-0.3.14", "0.3"),
)
BINDINGS = ("JSONRPC", "HTTP+JSON", "GRPC")
WAYS = [Way(client, version, binding) for (client, version), binding in itertools.product(SPOKEN, BINDINGS)]


@dataclass(frozen=True)
class Seen:
    """A task, message or update as a client saw it."""

    kind: str
    body: Json

    @property
    def task_id(self) -> str:
        return str(self.body["id"] if self.kind == "task" else self.body["taskId"])

    @property
    def context_id(self) -> str:
        return str(self.body["contextId"])

    @property
    def state(self) -> str:
        """`completed`, `input-required` …"""
        return str(self.body["status"]["state"]).removeprefix("TASK_STATE_").lower().replace("_", "-")

    @property
    def words(self) -> str:
        """The text of a message, of a status' message, or of an artifact's chunk."""
        where = self.body
        if self.kind in ("task", "status"):
            where = self.body["status"].get("message") or {}
        elif self.kind == "artifact":
            where = self.body["artifact"]
        return "".join(part.get("text", "") for part in where.get("parts", []))

    @property
    def artifacts(self) -> dict[str, str]:
        """The text of each artifact by its name."""
        return {one["name"]: "".join(part.get("text", "") for part in one["parts"]) for one in self.body["artifacts"]}

    @property
    def history(self) -> list[str]:
        return ["".join(part.get("text", "") for part in one["parts"]) for one in self.body.get("history") or []]


WRAPPED = {
    "task": "task",
    "message": "message",
    "msg": "message",
    "statusUpdate": "status",
    "artifactUpdate": "artifact",
}
KINDS = {"task": "task", "message": "message", "status-update": "status", "artifact-update": "artifact"}


def seen(told: Json) -> Seen:
    """1.0 wraps what it tells in a field that names it, 0.3 tells it by `kind`; a task alone is neither."""
    for name, kind in WRAPPED.items():
        if isinstance(told.get(name), dict) and "status" not in told:
            return Seen(kind, told[name])
    return Seen(KINDS[told.get("kind", "task")], told)


def answered(sending: Pending) -> Seen:
    """What a send has come to."""
    return seen(sending.result())


class Speaker:
    """A client that speaks one way. `agent` is the role that its messages are for, or empty."""

    def __init__(self, way: Way, driver: Driver, agent: str) -> None:
        self.way = way
        self._driver = driver
        self._agent = agent

    # Messages ---------------------------------------------------------------------------------------------------------

    def send(self, text: str, *, waits: bool = True, **more: Any) -> Pending:
        return self._do("send", self._sending(text, waits=waits, **more))

    def sent(self, text: str, **more: Any) -> Seen:
        """What the client is given for a message that it does not wait for."""
        return seen(self.send(text, waits=False, **more).result())

    def stream(self, text: str, **more: Any) -> Iterator[Seen]:
        return map(seen, self._do("stream", self._sending(text, waits=True, **more)).events())

    def subscribe(self, task_id: str) -> Iterator[Seen]:
        return map(seen, self._do("subscribe", {"id": task_id}).events())

    # Tasks ------------------------------------------------------------------------------------------------------------

    def get(self, task_id: str, **more: Any) -> Seen:
        return seen(self._do("get", {"id": task_id, **more}).result())

    def cancel(self, task_id: str) -> Seen:
        return seen(self._do("cancel", {"id": task_id}).result())

    def list_tasks(self, **filters: Any) -> Json:
        found: Json = self._do("list", filters).result()
        return found

    # Push notifications -----------------------------------------------------------------------------------------------

    def push_set(self, task_id: str, config_id: str, url: str, token: str) -> Json:
        config = {"id": config_id, "url": url, "token": token}
        params = {"taskId": task_id, **config} if self.way.is_new else _old(task_id, config)
        return self._config(self._do("push_set", params).result())

    def push_get(self, task_id: str, config_id: str) -> Json:
        return self._config(self._do("push_get", self._named(task_id, config_id)).result())

    def push_list(self, task_id: str) -> list[Json]:
        params = {"taskId": task_id} if self.way.is_new else {"id": task_id}
        found = self._do("push_list", params).result()
        configs = found.get("configs", []) if isinstance(found, dict) else found
        return [self._config(one) for one in configs]

    def push_delete(self, task_id: str, config_id: str) -> None:
        self._do("push_delete", self._named(task_id, config_id)).result()

    # Cards ------------------------------------------------------------------------------------------------------------

    def card(self) -> Json:
        found: Json = self._do("card", {}).result()
        return found

    def extended_card(self) -> Json:
        found: Json = self._do("extended_card", {}).result()
        return found

    # ------------------------------------------------------------------------------------------------------------------

    def _do(self, op: str, params: Json) -> Pending:
        return self._driver.do(op, params, binding=self.way.binding, version=self.way.version)

    def _sending(
        self, text: str, *, waits: bool, message_id: str = "", task_id: str = "", context_id: str = "",
        history_length: int | None = None, push: Json | None = None, metadata: Json | None = None,
    ) -> Json:  # fmt: skip
        message: Json = {
            "messageId": message_id or uuid.uuid4().hex,
            "metadata": {**({"target_agent": self._agent} if self._agent else {}), **(metadata or {})},
        }
        message |= {"taskId": task_id} if task_id else {}
        message |= {"contextId": context_id} if context_id else {}
        configuration: Json = {} if history_length is None else {"historyLength": history_length}
        if self.way.is_new:
            message |= {"role": "ROLE_USER", "parts": [{"text": text}]}
            configuration |= {"returnImmediately": not waits}
            configuration |= {"taskPushNotificationConfig": push} if push else {}
        else:
            message |= {"kind": "message", "role": "user", "parts": [{"kind": "text", "text": text}]}
            configuration |= {"blocking": waits}
            configuration |= {"pushNotificationConfig": push} if push else {}
        return {"message": message, "configuration": configuration}

    def _named(self, task_id: str, config_id: str) -> Json:
        if self.way.is_new:
            return {"taskId": task_id, "id": config_id}
        return {"id": task_id, "pushNotificationConfigId": config_id}

    def _config(self, told: Json) -> Json:
        """The config itself: `id`, `url`, `token`."""
        return dict(told if self.way.is_new else told["pushNotificationConfig"])


def _old(task_id: str, config: Json) -> Json:
    return {"taskId": task_id, "pushNotificationConfig": config}
