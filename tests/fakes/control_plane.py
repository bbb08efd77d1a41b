"""A control plane in one thread pool and one lock: speaks the worker protocol, remembers what it was told.

It can be stopped and started again on the same port with its memory kept, like a server over a database.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.fakes.control_plane_http import TOKEN, PlaneServer, Refusal
from tests.fakes.kept_files import KeepsFiles
from tests.fakes.kept_sessions import KeepsSessions
from tests.fakes.remembered_task import FINAL, FakeTask

__all__ = ["TOKEN", "FakeControlPlane", "FakeTask"]


class FakeControlPlane(KeepsSessions, KeepsFiles):
    """Start it with `with FakeControlPlane() as server`. Every public attribute may be read by a test."""

    def __init__(self, *, heartbeat_interval: float = 0.3, lease_seconds: float = 30.0) -> None:
        self.heartbeat_interval = heartbeat_interval
        self.lease_seconds = lease_seconds
        self.stream_status = 200
        self.drain = False
        self.tasks: dict[str, FakeTask] = {}
        self.workers: dict[str, dict[str, Any]] = {}
        self.codebases: dict[str, dict[str, Any]] = {}
        self.trees: dict[str, dict[str, Any]] = {}
        super().__init__()
        self.unregistered: list[str] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.streams_open = 0
        self._refusals: list[tuple[str, Refusal]] = []
        self._changed = threading.Condition()
        self._http: PlaneServer | None = None
        self._port = 0

    def __enter__(self) -> FakeControlPlane:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._http = PlaneServer(("127.0.0.1", self._port), self)
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Go away: open connections are cut, new ones are refused."""
        if self._http is None:
            return
        http, self._http = self._http, None
        http.stopped = True
        with self._changed:
            self._changed.notify_all()
        http.shutdown()
        http.server_close()
        http.cut_connections()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock and wake everyone who waits for a change."""
        with self._changed:
            yield
            self._changed.notify_all()

    def wait_for(self, happened: Callable[[], Any], *, seconds: float = 15.0, what: str = "") -> Any:
        """The first truthy value of `happened`; fails the test after `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (value := happened()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"not in {seconds} s: {what or happened}")
                self._changed.wait(min(left, 0.05))
        return value

    def add_task(self, prompt: str, *, queue: str = "global", **body: Any) -> FakeTask:
        task = FakeTask(id=str(uuid.uuid4()), queue=queue, body={"title": prompt[:40], "prompt": prompt, **body})
        with self.change():
            self.tasks[task.id] = task
        return task

    def add_codebase_task(self, prompt: str, path: str, **body: Any) -> FakeTask:
        """A task for the codebase that a worker has registered with this path."""
        known = self.wait_for(lambda: [c for c in self.codebases.values() if c["path"] == path], what="codebase")
        return self.add_task(prompt, queue=known[0]["id"], **body)

    def cancel(self, task: FakeTask, reason: str = "cancelled by Ada") -> None:
        with self.change():
            task.cancel_reason = reason

    def say(self, task: FakeTask, text: str, *, kind: str = "message", **data: Any) -> None:
        with self.change():
            seq = len(task.messages) + 1
            message = {
                "task_id": task.id,
                "seq": seq,
                "kind": kind,
                "message": text,
                "data": data,
                "by": "Ada",
            }
            task.messages.append(message)

    def give_to_another(self, task: FakeTask) -> None:
        """What the reaper does after a lost lease: the old token is void."""
        with self.change():
            task.claim_token, task.status, task.declined_by = None, "pending", set(self.workers)

    def refuse_next(self, path_part: str, status: int, code: str, *, retry_after: int | None = None) -> None:
        with self.change():
            self._refusals.append((path_part, Refusal(status, code, retry_after)))

    def wait_status(self, task: FakeTask, *statuses: str, seconds: float = 15.0) -> FakeTask:
        self.wait_for(lambda: task.status in statuses, seconds=seconds, what=f"{task.status} -> {statuses}")
        return task

    def wait_ended(self, task: FakeTask, *, seconds: float = 15.0) -> FakeTask:
        return self.wait_status(task, *FINAL, seconds=seconds)

    # ------------------------------------------------------------------ the protocol

    def handle(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.change():
            self.requests.append((method, path))
            self._refuse_if_told(path)
            for pattern, action in _ROUTES:
                if match := re.fullmatch(pattern, f"{method} {path}"):
                    return action(self, body, *match.groups())
        raise Refusal(404, "not_found")

    def _refuse_if_told(self, path: str) -> None:
        for index, (part, refusal) in enumerate(self._refusals):
            if part in path:
                del self._refusals[index]
                raise refusal

    def _register(self, body: dict[str, Any]) -> dict[str, Any]:
        worker = self.workers.setdefault(body["worker_id"], {"codebases": []})
        worker.update({key: value for key, value in body.items() if key != "codebases"})
        return {
            "success": True, "worker_id": body["worker_id"], "message": "welcome",
            "lease_seconds": self.lease_seconds, "heartbeat_interval": self.heartbeat_interval,
        }  # fmt: skip

    def _unregister(self, _: dict[str, Any], worker_id: str) -> dict[str, Any]:
        self.unregistered.append(worker_id)
        self.workers.pop(worker_id, None)
        return {"success": True, "message": "goodbye"}

    def _confirm_codebase(self, body: dict[str, Any]) -> dict[str, Any]:
        same = [c for c in self.codebases.values() if (c["worker_id"], c["path"]) == (body["worker_id"], body["path"])]
        codebase_id = body.get("codebase_id") or (same[0]["id"] if same else str(uuid.uuid4()))
        known = self.codebases.setdefault(codebase_id, {"id": codebase_id, "agent_config": {}})
        known.update(name=body["name"], path=body["path"], worker_id=body["worker_id"])
        return {"success": True, "codebase": known}

    def _set_codebases(self, body: dict[str, Any]) -> dict[str, Any]:
        self.workers[body["worker_id"]]["codebases"] = body["codebases"]
        return {"success": True, "codebases": body["codebases"]}

    def _tell_trees(self, body: dict[str, Any]) -> dict[str, Any]:
        self.trees |= {tree["id"]: tree for tree in body["trees"]}
        return {"success": True, "trees": len(body["trees"])}

    def pending_for(self, worker_id: str) -> list[FakeTask]:
        queues = {"global", "__pending__", *self.workers.get(worker_id, {}).get("codebases", ())}
        return [
            task
            for task in self.tasks.values()
            if task.status == "pending"
            and task.queue in queues
            and worker_id not in task.declined_by
            and task.not_before <= time.monotonic()
        ]

    def _claim(self, body: dict[str, Any]) -> dict[str, Any]:
        excluded = set(body.get("exclude_codebases") or ())
        open_tasks = [task for task in self.pending_for(body["worker_id"]) if task.queue not in excluded]
        claims = [self._claim_one(task) for task in open_tasks[: body.get("limit", 1)]]
        return {"success": True, "tasks": claims, "task": claims[0] if claims else None}

    def _claim_one(self, task: FakeTask) -> dict[str, Any]:
        task.status, task.attempt, task.claim_token, task.client_seq = (
            "running",
            task.attempt + 1,
            uuid.uuid4().hex,
            0,
        )
        return {
            "id": task.id, "codebase_id": task.queue, "agent_type": "build", "model": None, "priority": 0,
            "attempt": task.attempt, "max_attempts": 3, "session_id": None, "metadata": {}, "requires": [],
            "claim_token": task.claim_token, "lease_seconds": self.lease_seconds,
            "codebase": self.codebases.get(task.queue), "message_seq": task.message_seq, **task.body,
        }  # fmt: skip

    def _task_of(self, task_id: str, token: str) -> FakeTask:
        task = self.tasks.get(task_id)
        if task is None:
            raise Refusal(404, "task_not_found")
        if task.claim_token != token:
            raise Refusal(409, "stale_claim")
        return task

    def _events(self, body: dict[str, Any], task_id: str) -> dict[str, Any]:
        task = self._task_of(task_id, body["claim_token"])
        fresh = [event for event in body["events"] if event["seq"] > task.client_seq]
        for event in fresh:
            if event["seq"] != task.client_seq + 1:
                raise AssertionError(f"gap: {event['seq']} after {task.client_seq}")
            task.client_seq = event["seq"]
            task.log.append({**event, "attempt": task.attempt})
        task.deliveries.append(len(body["events"]))
        return {"success": True, "accepted": len(fresh), "client_seq": task.client_seq}

    def _release(self, body: dict[str, Any]) -> dict[str, Any]:
        task = self.tasks.get(body["task_id"])
        if task and task.released_token == body["claim_token"]:
            return {"success": True, "status": task.status}
        task = self._task_of(body["task_id"], body["claim_token"])
        task.releases.append(body)
        task.released_token, task.claim_token = task.claim_token, None
        task.status = "pending" if body.get("retry") else body["status"]
        if body.get("decline"):
            task.declined_by.add(body["worker_id"])
        task.not_before = time.monotonic() + (body.get("retry_after") or 0)
        return {"success": True, "status": task.status}

    def _heartbeat(self, body: dict[str, Any], worker_id: str) -> dict[str, Any]:
        if worker_id not in self.workers:
            raise Refusal(404, "worker_not_found")
        self.heartbeats.append(body)
        held = [(self.tasks[c["task_id"]], c) for c in body["claims"] if c["task_id"] in self.tasks]
        ours = [(task, claim) for task, claim in held if task.claim_token == claim["claim_token"]]
        for task, claim in ours:
            task.message_seq = max(task.message_seq, claim["message_seq"])
        return {
            "success": True,
            "leases": [{"task_id": task.id, "lease_expires_at": ""} for task, _ in ours],
            "cancel": [{"task_id": t.id, "reason": t.cancel_reason} for t, _ in ours if t.cancel_reason],
            "messages": [m for task, claim in ours for m in task.messages if m["seq"] > claim["message_seq"]],
            "drain": self.drain,
        }

    def hints(self, worker_id: str, running: Callable[[], bool]) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the stream says, until the server stops: new tasks, cancels and messages, each once."""
        yield "connected", {"worker_id": worker_id}
        told: set[tuple[str, str, int]] = set()
        while running():
            with self._changed:
                fresh = [news for news in self._news(worker_id) if news[:3] not in told]
                if not fresh:
                    self._changed.wait(0.2)
            for news in fresh:
                told.add(news[:3])
                yield news[0], news[3]

    def _news(self, worker_id: str) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
        for task in self.pending_for(worker_id):
            yield "task_available", task.id, task.attempt, {"task_id": task.id, "title": task.body["title"]}
        for task in self.tasks.values():
            if task.cancel_reason and task.claim_token:
                yield "cancel", task.id, 0, {"task_id": task.id, "reason": task.cancel_reason}
            for message in task.messages:
                yield "message", task.id, message["seq"], message


_ROUTES: list[tuple[str, Callable[..., dict[str, Any]]]] = [
    (r"POST /v1/opencode/workers/register", FakeControlPlane._register),
    (r"POST /v1/opencode/workers/([^/]+)/heartbeat", FakeControlPlane._heartbeat),
    (r"POST /v1/opencode/workers/([^/]+)/unregister", FakeControlPlane._unregister),
    (r"POST /v1/opencode/codebases", FakeControlPlane._confirm_codebase),
    (r"PUT /v1/worker/codebases", FakeControlPlane._set_codebases),
    (r"PUT /v1/worker/working-trees", FakeControlPlane._tell_trees),
    (r"POST /v1/worker/tasks/claim", FakeControlPlane._claim),
    (r"POST /v1/worker/tasks/release", FakeControlPlane._release),
    (r"POST /v1/worker/tasks/([^/]+)/events", FakeControlPlane._events),
    (r"POST /v1/opencode/codebases/([^/]+)/sessions/sync", FakeControlPlane.sync_sessions),
    (r"POST /v1/opencode/codebases/([^/]+)/sessions/([^/]+)/messages/sync", FakeControlPlane.sync_messages),
]
