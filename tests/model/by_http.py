"""The faces that people and workers use: REST and A2A for clients, the worker protocol for workers.

Requests go to the whole product in this process, without a socket, on its own database threads and connections.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx

from apps.accounts.permissions import Role
from tests.api.conftest import Api
from tests.factories import Cast
from tests.model.queue import Place
from tests.model.stage import register, set_stage
from tests.model.target import LACKING, Data, Ending, Held, RefusedError, Said, refusals
from tests.model.task import Wish

TASKS = "/v1/opencode/tasks"
TASKS_OF_WORKERS = "/v1/worker/tasks"
QUEUE = "/v1/queue"
A2A_REFUSALS = {-32001: "task_not_found", -32004: "task_ended"}
"""JSON-RPC's codes (A2A 0.3, section 8) in the rules' words."""


class ByHttp:
    """See tests/model/target.py."""

    message_is_answer = True

    def __init__(self, cast: Cast, stranger: Cast, runner: asyncio.Runner) -> None:
        self.cast, self.stranger = cast, stranger
        self.api = Api(cast.token(Role.ADMIN), runner)
        self.theirs = Api(stranger.token(Role.ADMIN), runner)

    def begin(self, workers: Sequence[str]) -> None:
        set_stage(self.cast)
        for worker in workers:
            register(self.cast, worker)
            register(self.stranger, worker)

    def create(self, wish: Wish, key: str) -> UUID:
        body = {
            "title": "t",
            "prompt": "p",
            "priority": wish.priority,
            "max_attempts": wish.attempts,
            "codebase_id": wish.queue,
            "requires": list(wish.requires),
            "model": wish.model,
            "target_agent": wish.role,
            "concurrency_key": wish.key,
            "deadline_seconds": 3600 if wish.deadline else None,
        }
        made = told(self.api.post(TASKS, body, headers={"Idempotency-Key": key}))
        return UUID(made["task"]["id"])

    def cancel(self, task: UUID) -> None:
        told(self.api.post(f"{TASKS}/{task}/cancel"))

    def answer(self, task: UUID) -> None:
        told(self.api.post(f"{TASKS}/{task}/input", {"message": "that"}))

    def speak(self, task: UUID) -> None:
        new = str(uuid4())  # a message that is sent again is taken once
        said = {"role": "user", "messageId": new, "taskId": str(task), "parts": [{"kind": "text", "text": "hurry"}]}
        params = {"message": said, "configuration": {"blocking": False}}
        call = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": params}
        answer = told(self.api.post("/a2a/jsonrpc", call))
        if "error" in answer:
            raise RefusedError(A2A_REFUSALS[answer["error"]["code"]])

    def requeue(self, task: UUID) -> None:
        told(self.api.post(f"{TASKS}/{task}/requeue"))

    def reprioritise(self, task: UUID, priority: int) -> None:
        told(self.api.patch(f"{TASKS}/{task}", {"priority": priority}))

    def claim(self, worker: str, limit: int, **more: str) -> list[Held]:
        answer = told(self.api.post("/v1/worker/tasks/claim", {"worker_id": worker, "limit": limit, **more}))
        return [_held(one, worker) for one in answer["tasks"]]

    def claim_named(self, worker: str, task: UUID) -> Held:
        return self.claim(worker, 1, task_id=str(task))[0]

    def renew(self, worker: str, claims: Sequence[Held], heard: int) -> Mapping[UUID, int]:
        shown = [{**_shown(held), "message_seq": heard} for held in claims]
        answer = told(self.api.post(f"/v1/opencode/workers/{worker}/heartbeat", {"claims": shown}))
        renewed = dict.fromkeys((UUID(one["task_id"]) for one in answer["leases"]), 0)
        lost = {UUID(one["task_id"]) for one in answer["cancel"]}
        assert lost == {held.task for held in claims} - set(renewed), "a worker must be told what to stop"
        return renewed | {UUID(one["task_id"]): one["seq"] for one in answer["messages"]}

    def report(self, held: Held, said: Sequence[Said]) -> None:
        events = [{"seq": one.number, "kind": one.kind, "data": one.data} for one in said]
        told(self.api.post(f"{TASKS_OF_WORKERS}/{held.task}/events", {**_shown(held), "events": events}))

    def release(self, held: Held, status: str, **more: Any) -> None:
        body = {**_shown(held), "worker_id": held.worker, "status": status, **more}
        told(self.api.post(f"{TASKS_OF_WORKERS}/release", body))

    def finish(self, held: Held, ending: Ending) -> None:
        heard = {} if ending.heard is None else {"message_seq": ending.heard}
        self.release(held, ending.status, result="r", error="e", retry=ending.retry, **heard)

    def snooze(self, held: Held, seconds: int) -> None:
        self.release(held, "pending", retry_after=seconds, error="quota")

    def decline(self, held: Held) -> None:
        self.release(held, "pending", decline=True, error="no")

    def leave_question(self, held: Held) -> None:
        self.release(held, "input_required", question="?")

    def why(self, task: UUID) -> str:
        code = told(self.api.get(f"{TASKS}/{task}"))["why_pending_code"]
        return "nobody" if code in LACKING else code or ""

    def reap(self) -> int:
        answer = told(self.api.post(f"{TASKS}/stuck/recover"))
        return sum(answer[name] for name in ("requeued", "failed", "unheld", "expired"))

    def bind(self, place: Place, most: int | None) -> None:
        told(self.api.put(f"{QUEUE}/limits", {"kind": place[0], "key": place[1], "most": most}))

    def pause(self, place: Place) -> None:
        told(self.api.post(f"{QUEUE}/pause", {"kind": place[0], "key": place[1], "reason": "lunch"}))

    def resume(self, place: Place) -> None:
        told(self.api.post(f"{QUEUE}/resume", {"kind": place[0], "key": place[1]}))

    def trespass(self, held: Held) -> Sequence[str]:
        own, self.api = self.api, self.theirs
        try:
            return refusals(self, held)
        finally:
            self.api = own


def told(answer: httpx.Response) -> Data:
    """The answer's body; a refusal in the rules' own words. Anything else is a fault of the product."""
    body: Data = answer.json()
    if answer.status_code in (404, 409):
        raise RefusedError(body["code"])
    assert answer.status_code == 200, body
    return body


def _shown(held: Held) -> dict[str, str]:
    return {"task_id": str(held.task), "claim_token": str(held.token)}


def _held(told: Data, worker: str) -> Held:
    return Held(UUID(told["id"]), UUID(told["claim_token"]), worker, told["attempt"], told["message_seq"])
