"""Things for the requests to be about: tasks in several states with what belongs to them, made over HTTP."""

import uuid
from typing import Any

import httpx

from tests.fuzz.calls import Known
from tests.fuzz.stage import TOKEN, Stage

Json = dict[str, Any]
WORKER, ROLE = "fuzz-worker", "reviewer"


class Maker:
    """A client and a worker that make the things."""

    def __init__(self, stage: Stage) -> None:
        self.http = httpx.Client(base_url=stage.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30)
        self._post(
            "/v1/opencode/workers/register",
            worker_id=WORKER, name="Fuzz", global_codebase_id="global",
            agents=[{"role": ROLE, "instance": "i", "description": "Reviews"}],
        )  # fmt: skip

    def known(self) -> Known:
        """A task that waits, one that runs, one that asks, one that has ended with artifacts; a push config."""
        context = f"context-{uuid.uuid4().hex}"
        waiting, running, asking, ended = (self._send(context) for _ in range(4))
        self._claim(running)
        token = self._claim(asking)
        self._release(asking, token, status="input_required", question="Which one?")
        token = self._claim(ended)
        artifact = {"artifact_id": "a1", "name": "a", "parts": [{"text": "100"}, {"data": {"big": 1e300}}]}
        events = [
            {"kind": "output", "data": {"type": "text", "content": "thinking"}, "seq": 1},
            {"kind": "artifact", "data": artifact, "seq": 2},
        ]
        self._post(f"/v1/worker/tasks/{ended}/events", claim_token=token, worker_id=WORKER, events=events)
        self._release(ended, token, status="completed", result="100")
        self._post(f"/a2a/rest/tasks/{waiting}/pushNotificationConfigs", id="config-1", url="https://93.184.216.34/a")
        return Known(TOKEN, (waiting, running, asking, ended), (context,), ("config-1",), (ROLE,))

    def _send(self, context: str) -> str:
        message = {"role": "ROLE_USER", "messageId": uuid.uuid4().hex, "contextId": context, "parts": [{"text": "hi"}]}
        sent = self._post("/a2a/rest/message:send", message=message, configuration={"returnImmediately": True})
        return str(sent["task"]["id"])

    def _claim(self, task_id: str) -> str:
        claimed = self._post("/v1/worker/tasks/claim", worker_id=WORKER, task_id=task_id)
        return str(claimed["task"]["claim_token"])

    def _release(self, task_id: str, token: str, **more: Any) -> None:
        self._post("/v1/worker/tasks/release", task_id=task_id, claim_token=token, worker_id=WORKER, **more)

    def _post(self, path: str, **body: Any) -> Json:
        answer = self.http.post(path, json=body)
        answer.raise_for_status()
        found: Json = answer.json()
        return found
